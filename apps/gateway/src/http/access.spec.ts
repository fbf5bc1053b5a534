import 'reflect-metadata';
import { Controller, Get } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import type { FastifyRequest } from 'fastify';
import { Access, orderToken, Routes } from './access.js';

@Controller('lamps')
class LampsController {
  @Get()
  @Access('public')
  list(): string[] {
    return [];
  }

  @Get('secret')
  forgotten(): string {
    return '';
  }
}

it('keeps the gateway from starting while a route says nothing about who may use it', async () => {
  const module = await Test.createTestingModule({
    imports: [DiscoveryModule],
    controllers: [LampsController],
    providers: [Routes],
  }).compile();
  await expect(module.init()).rejects.toThrow('LampsController.forgotten: declare who may use it.');
});

const sending = (authorization: string | undefined, query: Record<string, unknown> = {}) =>
  ({ headers: { authorization }, query }) as unknown as FastifyRequest;

it('tells the token of a guest order from an access token', () => {
  expect(orderToken(sending('Bearer b3JkZXI'))).toBe('b3JkZXI');
  expect(orderToken(sending('Bearer aa.bb.cc'))).toBe('');
  expect(orderToken(sending('Bearer aa.bb.cc', { accessToken: 'b3JkZXI' }))).toBe('b3JkZXI');
  expect(orderToken(sending(undefined, { accessToken: ['a', 'b'] }))).toBe('');
  expect(orderToken(sending('Basic abc'))).toBe('');
});
