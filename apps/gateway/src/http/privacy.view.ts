import type { Erasure } from '@souk/proto/identity/v1';
import type { z } from 'zod';
import { enumView, present, timeView } from './fields.view.js';
import type { erasureSchema, requestedErasureSchema } from './privacy.schemas.js';

export type ErasureView = z.infer<typeof erasureSchema>;
export type RequestedErasureView = z.infer<typeof requestedErasureSchema>;

export function erasureView(erasure: Erasure): ErasureView {
  const { completeTime, certificateKey } = erasure;
  return {
    id: erasure.erasureId,
    state: enumView('STATE_', erasure.state) as ErasureView['state'],
    pending: erasure.pending,
    requestedAt: timeView(erasure.requestTime),
    ...(completeTime && { completedAt: timeView(completeTime) }),
    ...present('certificate', erasure.certificate),
    ...(certificateKey && { certificateKey: JSON.parse(certificateKey) as Record<string, unknown> }),
    ...present('error', erasure.error),
  };
}

export function requestedErasureView(erasure: Erasure, accessToken: string): RequestedErasureView {
  return {
    ...erasureView(erasure),
    ...present('accessToken', accessToken),
    statusUrl: `/v1/erasures/${erasure.erasureId}`,
  };
}
