/** Decorators that write down what a route answers, for the OpenAPI document. */
import { STATUS_CODES } from 'node:http';
import { applyDecorators } from '@nestjs/common';
import { ApiHeader, ApiResponse } from '@nestjs/swagger';
import type { z } from 'zod';

/** Headers of an answer by their names, each with what it says. */
export type AnswerHeaders = Readonly<Record<string, string>>;

export const PROBLEM_REF = '#/components/schemas/Problem';

/** Documents an answer that is no problem. */
export function Answers(
  status: number,
  description: string,
  schema?: z.ZodType,
  headers: AnswerHeaders = {},
): MethodDecorator {
  const described = Object.entries(headers).map(
    ([name, text]) => [name, { description: text, schema: { type: 'string' as const } }] as const,
  );
  return ApiResponse({
    status,
    description,
    ...(schema ? { standardSchema: schema } : {}),
    ...(described.length > 0 ? { headers: Object.fromEntries(described) } : {}),
  });
}

/** Documents the problems that a route may answer with: their reasons by status. */
export function Fails(reasonsByStatus: Readonly<Record<number, readonly string[]>>): MethodDecorator {
  const responses = Object.entries(reasonsByStatus).map(([status, reasons]) =>
    ApiResponse({
      status: Number(status),
      description: `${STATUS_CODES[status] ?? status}: ${reasons.map((reason) => `\`${reason}\``).join(', ')}.`,
      content: { 'application/problem+json': { schema: { $ref: PROBLEM_REF } } },
    }),
  );
  return applyDecorators(...responses);
}

/** Documents that a change may be tied to the version that it is based on. */
export function TakesIfMatch(): MethodDecorator {
  return applyDecorators(
    ApiHeader({ name: 'If-Match', required: false, description: 'ETag of the version that the change is based on.' }),
    Fails({ 412: ['VERSION_MISMATCH'] }),
  );
}

/** Documents that the route answers 304 to a client that has the present version. */
export function TakesIfNoneMatch(): MethodDecorator {
  return applyDecorators(
    ApiHeader({ name: 'If-None-Match', required: false, description: 'ETag of the version that the client has.' }),
    ApiResponse({ status: 304, description: 'The client has the present version.' }),
  );
}
