/** What the gateway's parts are given beside the clients. */
export const CONFIG = Symbol('config');
export const LOGGER = Symbol('logger');
