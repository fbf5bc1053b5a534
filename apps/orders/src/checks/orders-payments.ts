/**
 * Compares orders with their payments. Payments are read before the orders, and only orders that have not changed for a while
 * are judged: what is merely on its way is no difference.
 */
import { equalMoney } from '@souk/money';
import type { Check, Finding } from '@souk/operations';
import type { Payment, PaymentsServiceService } from '@souk/proto/payments/v1';
import type { RpcClient } from '@souk/rpc';
import type { ChecksStore, ComparedOrder } from './checks.store.js';
import { Findings } from './findings.js';
import { cancel, replay, resume, syncPayment } from './mends.js';

export type PaymentsPort = Pick<RpcClient<PaymentsServiceService>, 'batchGetPayments'>;

const RESTED_S = 120;

export function ordersPaymentsCheck(orders: ChecksStore, payments: PaymentsPort): Check {
  const run = async () => {
    const findings = new Findings();
    for await (const orderIds of orders.changedLately()) {
      const answer = await payments.batchGetPayments({ orderIds });
      const byOrder = new Map(answer.payments.map((payment) => [payment.orderId, payment]));
      const found = await orders.compared(orderIds);
      findings.add([...found.values()].map((order) => paymentFinding(order, byOrder.get(order.orderId))));
      if (findings.full) break;
    }
    return findings.result;
  };
  return { name: 'orders-payments', run };
}

/** What is wrong between an order and its payment, which is undefined where it has none. */
export function paymentFinding(order: ComparedOrder, payment: Payment | undefined): Finding | undefined {
  if (order.phase !== 'DONE' || order.idleS < RESTED_S) return undefined;
  const ended = order.state === 'REJECTED' || order.state === 'CANCELLED';
  const wrong = ended ? leftOver(order, payment) : (notPaid(order, payment) ?? notRefunded(order, payment));
  return wrong && { subject: order.orderId, ...wrong };
}

type Wrong = Omit<Finding, 'subject'> | undefined;

function leftOver({ orderId, state }: ComparedOrder, payment: Payment | undefined): Wrong {
  if (!payment) return undefined;
  const open = payment.state === 'STATE_AUTHORIZED' || payment.state === 'STATE_PROCESSING';
  const kept = payment.capturedAmount - payment.refundedAmount;
  if (!open && kept === 0n) return undefined;
  const detail = `It is ${state}, but its payment is ${named(payment)} and ${kept} minor units of it are kept.`;
  return { detail, mend: resume(orderId) };
}

function notPaid(order: ComparedOrder, payment: Payment | undefined): Wrong {
  const { orderId, state, total } = order;
  if (!payment) return { detail: `It is ${state}, but has no payment.`, mend: cancel(orderId) };
  const is = `It is ${state}, but its payment is ${named(payment)}`;
  switch (payment.state) {
    case 'STATE_AUTHORIZED':
    case 'STATE_CAPTURED':
    case 'STATE_REFUNDED':
      if (payment.amount && equalMoney(payment.amount, total)) return undefined;
      return { detail: `${is} over another amount than its total.`, mend: syncPayment(orderId) };
    case 'STATE_VOIDED':
      // Goods that were sent off do not come back by themselves.
      return {
        detail: `${is}.`,
        mend: state === 'CONFIRMED' ? replay('orders-PaymentVoided', order) : syncPayment(orderId),
      };
    default:
      return { detail: `${is}.`, mend: syncPayment(orderId) };
  }
}

function notRefunded(order: ComparedOrder, payment: Payment | undefined): Wrong {
  const refunded = payment?.refundedAmount ?? 0n;
  const lost = payment?.state === 'STATE_REFUNDED' && order.state === 'CONFIRMED';
  if (refunded === order.refundedAmount && !lost) return undefined;
  const detail = `${refunded} minor units went back, but the order knows of ${order.refundedAmount}.`;
  return { detail, mend: replay('orders-PaymentRefunded', order) };
}

function named({ state }: Payment): string {
  return state.replace('STATE_', '');
}
