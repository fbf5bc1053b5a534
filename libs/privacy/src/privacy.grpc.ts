/** The only mapping between the RPCs of identity's erasures and exports and what answers them. */
import { Allow } from '@souk/auth';
import { invalid, type FieldViolation } from '@souk/errors';
import {
  PrivacyServiceService,
  type ErasePersonalDataRequest,
  type ErasePersonalDataResponse,
  type ExportPersonalDataRequest,
  type ExportPersonalDataResponse,
} from '@souk/proto/privacy/v1';
import { RpcController, type Handlers } from '@souk/rpc';
import { MOST_ORDER_IDS, PersonalData, type Subject } from './personal-data.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

@RpcController(PrivacyServiceService)
export class PrivacyGrpc implements Handlers<typeof PrivacyServiceService> {
  constructor(private readonly data: PersonalData) {}

  @Allow('service:identity')
  async exportPersonalData(request: ExportPersonalDataRequest): Promise<ExportPersonalDataResponse> {
    const { records, orderIds = [], nextPageToken = '' } = await this.data.export(subjectOf(request), tokenOf(request));
    return {
      records: records.map(({ kind, value }) => ({ kind, json: JSON.stringify(value) })),
      orderIds: [...orderIds],
      nextPageToken,
    };
  }

  @Allow('service:identity')
  async erasePersonalData(request: ErasePersonalDataRequest): Promise<ErasePersonalDataResponse> {
    const {
      treatments,
      pending,
      orderIds = [],
      nextPageToken = '',
    } = await this.data.erase(subjectOf(request), tokenOf(request));
    return {
      treatments: treatments.map(({ what, action, count, reason = '' }) => ({
        what,
        action: `ACTION_${action}`,
        count: BigInt(count),
        reason,
      })),
      pending,
      orderIds: [...orderIds],
      nextPageToken,
    };
  }
}

/** @throws DomainError INVALID_ARGUMENT */
function subjectOf({ subject }: { subject?: Subject | undefined }): Subject {
  const { subjectId = '', email = '', emailOwned = false, orderIds = [] } = subject ?? {};
  const wrong: FieldViolation[] = [];
  if (!UUID.test(subjectId)) wrong.push({ field: 'subject.subject_id', description: 'This is no identifier.' });
  if (orderIds.length > MOST_ORDER_IDS || !orderIds.every((id) => UUID.test(id)))
    wrong.push({ field: 'subject.order_ids', description: `These are not up to ${MOST_ORDER_IDS} identifiers.` });
  if (wrong.length > 0) throw invalid(wrong);
  return { subjectId, email, emailOwned, orderIds };
}

/** Every service goes through its records by their identifiers. */
function tokenOf({ pageToken }: { pageToken: string }): string {
  if (pageToken && !UUID.test(pageToken))
    throw invalid([{ field: 'page_token', description: 'This is no page token.' }]);
  return pageToken;
}
