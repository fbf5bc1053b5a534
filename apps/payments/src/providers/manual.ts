import type { ProviderView } from '../domain/follow-provider.js';
import type { Capture, Payment, Refund } from '../domain/payment.js';
import type { Found, PaymentProvider, ProviderAnswer, ProviderCall } from '../payment-provider.js';

/** Invoice or pay on delivery: nobody is called, people see to the money. What is asked for has happened. */
export class ManualProvider implements PaymentProvider {
  async authorize({ payment }: ProviderCall): Promise<ProviderAnswer> {
    return view(payment, { outcome: 'authorized' });
  }

  async capture({ payment }: ProviderCall, { amount, final }: Capture): Promise<ProviderAnswer> {
    const outcome = final ? 'captured' : 'authorized';
    return view(payment, { outcome, capturedAmount: payment.capturedAmount + amount });
  }

  async void({ payment }: ProviderCall): Promise<ProviderAnswer> {
    return view(payment, { outcome: 'voided' });
  }

  async release({ payment }: ProviderCall): Promise<ProviderAnswer> {
    return view(payment, { outcome: 'captured' });
  }

  async refund({ payment }: ProviderCall, { refundId, amount }: Refund): Promise<ProviderAnswer> {
    const outcome = payment.state === 'AUTHORIZED' ? 'authorized' : 'captured';
    return view(payment, { outcome, refunds: [{ refundId, reference: '', amount, state: 'SUCCEEDED' }] });
  }

  async sendBack(): Promise<'done'> {
    return 'done';
  }

  async find(): Promise<Found> {
    return { outcome: 'absent' };
  }

  async findOthers(): Promise<ProviderView[]> {
    return [];
  }
}

function view({ capturedAmount }: Payment, what: Partial<ProviderView> & Pick<ProviderView, 'outcome'>): ProviderView {
  return { reference: '', capturedAmount, refunds: [], code: '', ...what };
}
