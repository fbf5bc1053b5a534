/** Errors as the driver gives them. */

/** @param code the SQLSTATE */
export function sqlError(code: string, message: string, constraint?: string): Error {
  return Object.assign(new Error(message), { severity: 'ERROR', code, ...(constraint && { constraint }) });
}

/** The connection broke; what became of the statement is not known. */
export function connectionLost(): Error {
  return Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
}

export function connectionRefused(): Error {
  return Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
}
