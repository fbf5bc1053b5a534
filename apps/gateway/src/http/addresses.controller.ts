import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { ADDRESS_BOOK, type AddressBookClient } from '../clients.js';
import { Access } from './access.js';
import { addressBookSchema, addressEntryBody, addressEntrySchema } from './addresses.schemas.js';
import { addressEntryView, toAddress, type AddressEntryView } from './addresses.view.js';
import { Answers, Fails } from './api-docs.js';
import { idSchema } from './fields.schemas.js';

/** The postal addresses that the caller keeps for orders to come. */
@ApiTags('Accounts')
@Controller('v1/me/addresses')
export class AddressesController {
  constructor(@Inject(ADDRESS_BOOK) private readonly addressBook: AddressBookClient) {}

  @Get()
  @Access('user')
  @ApiOperation({ summary: "List the caller's addresses, newest first" })
  @Answers(200, 'All of them, fifty at most.', addressBookSchema)
  async list(): Promise<z.infer<typeof addressBookSchema>> {
    const { addresses } = await this.addressBook.listAddresses({});
    return { items: addresses.map(addressEntryView) };
  }

  @Post()
  @Access('user')
  @ApiOperation({
    summary: 'Add an address',
    description: 'One that is there already is answered and not added again.',
  })
  @Answers(201, 'The address is in the book.', addressEntrySchema, { Location: 'Address of the entry.' })
  @Fails({ 409: ['ADDRESS_BOOK_FULL'] })
  async add(
    @Body({ schema: addressEntryBody }) { address }: z.infer<typeof addressEntryBody>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AddressEntryView> {
    const entry = addressEntryView((await this.addressBook.addAddress({ address: toAddress(address) })).address);
    void reply.header('location', `/v1/me/addresses/${entry.id}`);
    return entry;
  }

  @Put(':id')
  @Access('user')
  @ApiOperation({ summary: 'Replace an address' })
  @Answers(200, 'The address as it is kept.', addressEntrySchema)
  @Fails({ 404: ['ADDRESS_NOT_FOUND'], 409: ['ADDRESS_EXISTS'] })
  async update(
    @Param('id', { schema: idSchema }) addressId: string,
    @Body({ schema: addressEntryBody }) { address }: z.infer<typeof addressEntryBody>,
  ): Promise<AddressEntryView> {
    return addressEntryView((await this.addressBook.updateAddress({ addressId, address: toAddress(address) })).address);
  }

  @Delete(':id')
  @HttpCode(204)
  @Access('user')
  @ApiOperation({ summary: 'Delete an address' })
  @Answers(204, 'It is not in the book.')
  async remove(@Param('id', { schema: idSchema }) addressId: string): Promise<void> {
    await this.addressBook.deleteAddress({ addressId });
  }
}
