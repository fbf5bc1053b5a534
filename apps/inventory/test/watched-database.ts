import type { Database, Transaction } from '@souk/postgres';

/** Answers a statement, or hands it on as it is or changed. */
type Intercept = (query: Transaction['query'], ...call: Parameters<Transaction['query']>) => Promise<object[]>;

/** The database, with something between its transactions and their statements. */
export function intercepted(database: Database, intercept: Intercept): Database {
  const transaction: Database['transaction'] = (work) =>
    database.transaction((tx) => {
      const query = (...call: Parameters<Transaction['query']>) => intercept(tx.query.bind(tx), ...call);
      return work({ inTransaction: true, query: query as Transaction['query'] });
    });
  return { transaction } as Database;
}

/** The database; the names of its transactions' statements are noted. */
export function watched(database: Database, names: string[]): Database {
  return intercepted(database, (query, statement, values) => {
    names.push(statement.name);
    return query(statement, values);
  });
}
