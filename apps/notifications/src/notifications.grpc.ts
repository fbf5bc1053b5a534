import { Allow } from '@souk/auth';
import { invalid, type FieldViolation } from '@souk/errors';
import {
  Notification_State,
  NotificationsServiceService,
  SendAccountMailRequest_Kind as Kind,
  type ListNotificationsRequest,
  type ListNotificationsResponse,
  type Notification as NotificationMessage,
  type SendAccountMailRequest,
  type SendAccountMailResponse,
} from '@souk/proto/notifications/v1';
import { RpcController, type Handlers } from '@souk/rpc';
import { hasLink, type AccountMailKind } from './account-mail.js';
import { isAddress } from './mailer.js';
import { MailWorker } from './mail-worker.js';
import { NotificationsStore, type Notification, type NotificationState } from './notifications.store.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const LINK = /^https?:\/\/[^\s/]\S*$/;

const STATES: Record<NotificationState, Notification_State> = {
  QUEUED: Notification_State.STATE_QUEUED,
  SENDING: Notification_State.STATE_QUEUED,
  SENT: Notification_State.STATE_SENT,
  FAILED: Notification_State.STATE_FAILED,
};

const KINDS: Record<Exclude<Kind, 'KIND_UNSPECIFIED'>, AccountMailKind> = {
  [Kind.KIND_VERIFY_EMAIL]: 'VERIFY_EMAIL',
  [Kind.KIND_ACCOUNT_EXISTS]: 'ACCOUNT_EXISTS',
  [Kind.KIND_RESET_PASSWORD]: 'RESET_PASSWORD',
  [Kind.KIND_PASSWORD_CHANGED]: 'PASSWORD_CHANGED',
  [Kind.KIND_CONFIRM_EMAIL]: 'CONFIRM_EMAIL',
  [Kind.KIND_EMAIL_CHANGED]: 'EMAIL_CHANGED',
  [Kind.KIND_SESSION_ENDED]: 'SESSION_ENDED',
  [Kind.KIND_SECOND_FACTOR_ADDED]: 'SECOND_FACTOR_ADDED',
  [Kind.KIND_SECOND_FACTOR_REMOVED]: 'SECOND_FACTOR_REMOVED',
  [Kind.KIND_RECOVERY_CODE_USED]: 'RECOVERY_CODE_USED',
  [Kind.KIND_ACCOUNT_DELETED]: 'ACCOUNT_DELETED',
};

@RpcController(NotificationsServiceService)
export class NotificationsGrpc implements Handlers<typeof NotificationsServiceService> {
  constructor(
    private readonly store: NotificationsStore,
    private readonly worker: MailWorker,
  ) {}

  @Allow('orders:read')
  async listNotifications({ orderId }: ListNotificationsRequest): Promise<ListNotificationsResponse> {
    if (!UUID.test(orderId)) throw invalid([{ field: 'order_id', description: 'This is no identifier of an order.' }]);
    return { notifications: (await this.store.list(orderId)).map(toMessage) };
  }

  @Allow('service:identity')
  async sendAccountMail(request: SendAccountMailRequest): Promise<SendAccountMailResponse> {
    const { requestId, recipient, name, link, linkMinutes } = request;
    const kind = kindOf(request);
    await this.store.insertAccountMail(requestId, recipient, { kind, name, link, linkMinutes });
    this.worker.wake();
    return {};
  }
}

/** What the mail is about, where the rest of the request fits it. */
function kindOf({ requestId, recipient, kind, link }: SendAccountMailRequest): AccountMailKind {
  const known = kind in KINDS ? KINDS[kind as keyof typeof KINDS] : undefined;
  const wrong = [
    violation('request_id', UUID.test(requestId), 'This is no identifier.'),
    violation('recipient', isAddress(recipient), 'This is no address.'),
    violation('kind', known !== undefined, 'This is nothing that a mail could be about.'),
    violation('link', !known || !hasLink(known) || LINK.test(link), 'This is no link.'),
  ].flat();
  if (!known || wrong.length > 0) throw invalid(wrong);
  return known;
}

function violation(field: string, right: boolean, description: string): FieldViolation[] {
  return right ? [] : [{ field, description }];
}

function toMessage({ state, createdAt, sentAt, ...notification }: Notification): NotificationMessage {
  return { ...notification, state: STATES[state], createTime: createdAt, sendTime: sentAt };
}
