import type { Found, PaymentProvider, ProviderAnswer, ProviderCall } from '../payment-provider.js';

/** Invoice or pay on delivery: nobody is called, people see to the money. What is asked for has happened. */
export class ManualProvider implements PaymentProvider {
  async authorize(): Promise<ProviderAnswer> {
    return { outcome: 'authorized', reference: '' };
  }

  async capture({ amount }: ProviderCall): Promise<ProviderAnswer> {
    return { outcome: 'captured', reference: '', capturedAmount: amount.amount, refundedAmount: 0n };
  }

  async void(): Promise<ProviderAnswer> {
    return { outcome: 'voided', reference: '' };
  }

  async refund({ amount }: ProviderCall): Promise<ProviderAnswer> {
    return { outcome: 'captured', reference: '', capturedAmount: amount.amount, refundedAmount: amount.amount };
  }

  async find(): Promise<Found> {
    return { outcome: 'absent' };
  }
}
