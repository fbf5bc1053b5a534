import { Allow } from '@souk/auth';
import { invalid } from '@souk/errors';
import {
  Notification_State,
  NotificationsServiceService,
  type ListNotificationsRequest,
  type ListNotificationsResponse,
  type Notification as NotificationMessage,
} from '@souk/proto/notifications/v1';
import { RpcController, type Handlers } from '@souk/rpc';
import { NotificationsStore, type Notification, type NotificationState } from './notifications.store.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const STATES: Record<NotificationState, Notification_State> = {
  QUEUED: Notification_State.STATE_QUEUED,
  SENDING: Notification_State.STATE_QUEUED,
  SENT: Notification_State.STATE_SENT,
  FAILED: Notification_State.STATE_FAILED,
};

@RpcController(NotificationsServiceService)
export class NotificationsGrpc implements Handlers<typeof NotificationsServiceService> {
  constructor(private readonly store: NotificationsStore) {}

  @Allow('staff')
  async listNotifications({ orderId }: ListNotificationsRequest): Promise<ListNotificationsResponse> {
    if (!UUID.test(orderId)) throw invalid([{ field: 'order_id', description: 'This is no identifier of an order.' }]);
    return { notifications: (await this.store.list(orderId)).map(toMessage) };
  }
}

function toMessage({ state, createdAt, sentAt, ...notification }: Notification): NotificationMessage {
  return { ...notification, state: STATES[state], createTime: createdAt, sendTime: sentAt };
}
