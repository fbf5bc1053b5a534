import { Allow } from '@souk/auth';
import {
  AddressBookServiceService,
  type AddAddressRequest,
  type AddAddressResponse,
  type AddressEntry as AddressEntryMessage,
  type DeleteAddressRequest,
  type DeleteAddressResponse,
  type ListAddressesResponse,
  type UpdateAddressRequest,
  type UpdateAddressResponse,
} from '@souk/proto/identity/v1';
import { RpcController, type Handlers } from '@souk/rpc';
import { addressNotFound, checkAddress } from './address-book/address-rules.js';
import { AddressesStore, type AddressEntry } from './address-book/addresses.store.js';
import { caller, isUuid } from './identity.messages.js';

@RpcController(AddressBookServiceService)
export class AddressBookGrpc implements Handlers<typeof AddressBookServiceService> {
  constructor(private readonly addresses: AddressesStore) {}

  @Allow('user')
  async listAddresses(): Promise<ListAddressesResponse> {
    return { addresses: (await this.addresses.list(caller().userId)).map(toMessage) };
  }

  @Allow('user')
  async addAddress({ address }: AddAddressRequest): Promise<AddAddressResponse> {
    return { address: toMessage(await this.addresses.add(caller().userId, checkAddress(address))) };
  }

  @Allow('user')
  async updateAddress({ addressId, address }: UpdateAddressRequest): Promise<UpdateAddressResponse> {
    const checked = checkAddress(address);
    if (!isUuid(addressId)) throw addressNotFound();
    return { address: toMessage(await this.addresses.update(caller().userId, addressId, checked)) };
  }

  @Allow('user')
  async deleteAddress({ addressId }: DeleteAddressRequest): Promise<DeleteAddressResponse> {
    if (isUuid(addressId)) await this.addresses.delete(caller().userId, addressId);
    return {};
  }
}

function toMessage({ addressId, address, createdAt }: AddressEntry): AddressEntryMessage {
  return { addressId, address, createTime: createdAt };
}
