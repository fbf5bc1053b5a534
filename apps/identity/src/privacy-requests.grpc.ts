import { Allow, emailKey, may, Privileged } from '@souk/auth';
import { DomainError, invalid } from '@souk/errors';
import { uuidv7 } from '@souk/postgres';
import type { ExportedPage } from '@souk/privacy';
import {
  PrivacyRequestsServiceService,
  type Erasure as ErasureMessage,
  type ExportDataOfPersonRequest,
  type ExportDataOfPersonResponse,
  type ExportMyDataRequest,
  type ExportMyDataResponse,
  type GetErasureRequest,
  type GetErasureResponse,
  type ListErasuresRequest,
  type ListErasuresResponse,
  type RequestErasureRequest,
  type RequestErasureResponse,
  type RerunErasuresResponse,
  type ResumeErasureRequest,
  type ResumeErasureResponse,
} from '@souk/proto/identity/v1';
import { currentPrincipal, RpcController, type Handlers } from '@souk/rpc';
import { userNotFound } from './accounts/account-errors.js';
import { checkEmail } from './accounts/account-rules.js';
import { UsersStore, type User } from './accounts/users.store.js';
import { caller, isUuid } from './identity.messages.js';
import { ErasureWorker } from './privacy/erasure-worker.js';
import { ErasuresStore, type Erasure, type Person } from './privacy/erasures.store.js';
import { ExportPerson } from './privacy/export-person.js';
import { RequestErasure } from './privacy/request-erasure.js';
import { hashOfToken } from './secret-token.js';

const PAGE = 50;
const PAGE_MAX = 100;

@RpcController(PrivacyRequestsServiceService)
export class PrivacyRequestsGrpc implements Handlers<typeof PrivacyRequestsServiceService> {
  constructor(
    private readonly users: UsersStore,
    private readonly exporting: ExportPerson,
    private readonly requesting: RequestErasure,
    private readonly erasures: ErasuresStore,
    private readonly worker: ErasureWorker,
  ) {}

  @Allow('user')
  async exportMyData({ pageToken }: ExportMyDataRequest): Promise<ExportMyDataResponse> {
    return toPage(await this.exporting.execute(await this.account(caller().userId), pageToken));
  }

  @Allow('privacy:export')
  async exportDataOfPerson(request: ExportDataOfPersonRequest): Promise<ExportDataOfPersonResponse> {
    const { userId, email, pageToken } = request;
    oneOf(userId, email);
    const person = userId ? await this.account(userId) : await this.ofAddress(email);
    return toPage(await this.exporting.execute(person, pageToken));
  }

  @Allow('privacy:erase')
  async requestErasure({ userId, email }: RequestErasureRequest): Promise<RequestErasureResponse> {
    oneOf(userId, email);
    if (userId && !isUuid(userId)) throw userNotFound();
    const requested = userId ? this.requesting.ofUser(userId) : this.requesting.ofAddress(email);
    const { erasure, accessToken } = await requested;
    return { erasure: toMessage(erasure), accessToken };
  }

  @Allow('anyone')
  @Privileged('privacy:erase')
  async getErasure({ erasureId, accessToken }: GetErasureRequest): Promise<GetErasureResponse> {
    if (!isUuid(erasureId)) throw erasureNotFound();
    const hash = hashOfToken(accessToken);
    const trusted = may(currentPrincipal(), 'privacy:erase');
    const byToken = hash && (await this.erasures.findByToken(erasureId, hash));
    const erasure = byToken ?? (trusted ? await this.erasures.find(erasureId) : undefined);
    if (!erasure) throw erasureNotFound();
    return { erasure: toMessage(erasure) };
  }

  @Allow('privacy:erase', 'service:ops')
  async listErasures({ pageSize, pageToken }: ListErasuresRequest): Promise<ListErasuresResponse> {
    if (pageToken && !isUuid(pageToken))
      throw invalid([{ field: 'page_token', description: 'This is no page token.' }]);
    const limit = Math.min(pageSize > 0 ? pageSize : PAGE, PAGE_MAX);
    const erasures = await this.erasures.list(pageToken, limit + 1);
    const page = erasures.slice(0, limit);
    const nextPageToken = erasures.length > limit ? (page.at(-1)?.erasureId ?? '') : '';
    return { erasures: page.map(toMessage), nextPageToken };
  }

  @Allow('privacy:erase', 'service:ops')
  async resumeErasure({ erasureId }: ResumeErasureRequest): Promise<ResumeErasureResponse> {
    const erasure = isUuid(erasureId) ? await this.erasures.resume(erasureId) : undefined;
    if (!erasure) throw erasureNotFound();
    this.worker.wake();
    return { erasure: toMessage(erasure) };
  }

  @Allow('service:ops')
  async rerunErasures(): Promise<RerunErasuresResponse> {
    const erasures = await this.erasures.rerun();
    this.worker.wake();
    return { erasures };
  }

  /** @throws DomainError USER_NOT_FOUND */
  private async account(userId: string): Promise<Person> {
    const user = isUuid(userId) ? await this.users.find(userId) : undefined;
    if (!user) throw userNotFound();
    return personOf(user);
  }

  /** The account that owns the address, or the guest. @throws DomainError INVALID_ARGUMENT */
  private async ofAddress(typed: string): Promise<Person> {
    const email = checkEmail(typed);
    const owner = await this.users.findOwner(email);
    if (owner && emailKey(owner.email) === emailKey(email)) return personOf(owner);
    return { subjectId: uuidv7(), email, emailOwned: true };
  }
}

function personOf({ userId, email, emailVerified }: User): Person {
  return { subjectId: userId, email, emailOwned: emailVerified };
}

function toPage({ records, nextPageToken = '' }: ExportedPage): ExportMyDataResponse {
  return { records: records.map(({ kind, value }) => ({ kind, json: JSON.stringify(value) })), nextPageToken };
}

function toMessage(erasure: Erasure): ErasureMessage {
  const { erasureId, state, pending, requestedAt, completedAt, certificate, certificateKey, error } = erasure;
  return {
    erasureId,
    state: `STATE_${state}`,
    pending,
    requestTime: requestedAt,
    completeTime: completedAt,
    certificate,
    certificateKey: certificateKey ? JSON.stringify(certificateKey) : '',
    error,
  };
}

/** @throws DomainError INVALID_ARGUMENT */
function oneOf(userId: string, email: string): void {
  if (Boolean(userId) === Boolean(email))
    throw invalid([{ field: 'user_id', description: 'Name an account or an address, and not both.' }]);
}

function erasureNotFound(): DomainError {
  return new DomainError({ kind: 'not_found', reason: 'ERASURE_NOT_FOUND', message: 'There is no such erasure.' });
}
