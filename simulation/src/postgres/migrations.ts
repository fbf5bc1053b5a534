/** Reads a service's migrations, so that the simulated database has its tables, constraints and first rows. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Column, Sabotage, Schema, Table, Unique } from './schema.ts';
import { tableOf } from './schema.ts';
import { StatementParser } from './statement-parser.ts';
import type { Expression } from './syntax.ts';

export function readMigrations(folder: string, sabotage: Sabotage = {}): Schema {
  const files = readdirSync(folder).filter((name) => name.endsWith('.sql'));
  const texts = files
    .sort()
    .map((file) => readFileSync(join(folder, file), 'utf8').split('-- Down Migration')[0] ?? '');
  return schemaOf(texts, sabotage);
}

export function schemaOf(migrations: readonly string[], sabotage: Sabotage = {}): Schema {
  const schema: Schema = { tables: new Map(), seeds: [], sabotage };
  for (const migration of migrations) new MigrationParser(migration, schema).apply();
  for (const table of schema.tables.values()) {
    const isKept = ({ name }: { name: string }) => !sabotage.constraints?.test(name);
    table.uniques = table.uniques.filter(isKept);
    table.checks = table.checks.filter(isKept);
  }
  return schema;
}

class MigrationParser extends StatementParser {
  private readonly schema: Schema;
  private readonly text: string;

  constructor(text: string, schema: Schema) {
    super(text);
    this.text = text;
    this.schema = schema;
  }

  apply(): void {
    while (!this.isAtEnd) {
      this.migration();
      this.expectSymbol(';');
    }
  }

  private migration(): void {
    if (this.accept('create', 'table')) return this.createTable();
    if (this.accept('create', 'unique', 'index')) return this.createIndex(true);
    if (this.accept('create', 'index')) return this.createIndex(false);
    if (this.accept('drop', 'index')) return this.dropIndex();
    if (this.accept('drop', 'table')) return this.list(() => this.name()).forEach((name) => this.drop(name));
    if (this.accept('alter', 'table')) return this.alterTable();
    // A trigger keeps people from mistakes; what the services write does not need it.
    const others = ['view', 'function', 'trigger'].some((kind) => this.accept('create', kind));
    if (others || this.accept('comment', 'on') || this.isAboutRights()) return this.skip();
    if (this.isAt('insert')) return this.seed();
    // There are no rows yet that it could change.
    if (this.isAt('update') || this.isAt('delete')) return this.skip();
    throw this.unexpected('a migration');
  }

  private isAboutRights(): boolean {
    return this.accept('revoke') || this.accept('grant') || this.accept('drop', 'trigger');
  }

  private drop(name: string): void {
    this.schema.tables.delete(name);
  }

  private seed(): void {
    const { at } = this.peek();
    const statement = this.statement();
    // There are no rows yet that others could be made of.
    const isMadeOfRows = statement.kind === 'insert' && statement.source?.parts[0]?.body.kind === 'select';
    if (!isMadeOfRows) this.schema.seeds.push(this.text.slice(at, this.peek().at));
  }

  private createTable(): void {
    this.accept('if', 'not', 'exists');
    const table: Table = { name: this.name(), columns: [], uniques: [], checks: [], foreignKeys: [] };
    this.schema.tables.set(table.name, table);
    this.inParentheses(() =>
      this.list(() => (this.isTableConstraint() ? this.constraint(table) : this.newColumn(table))),
    );
    if (this.accept('with')) this.inParentheses(() => this.skipTo(')'));
  }

  private isTableConstraint(): boolean {
    return ['constraint', 'primary', 'unique', 'check', 'foreign', 'exclude'].includes(this.peek().text);
  }

  private newColumn(table: Table): void {
    const name = this.name();
    const type = this.type();
    if (this.accept('collate')) this.name();
    let column: Column = { name, type, notNull: false, identity: false };
    while (!this.isSymbol(',') && !this.isSymbol(')') && !this.isSymbol(';')) {
      column = { ...column, ...this.columnOption(table, column) };
    }
    table.columns.push(column);
  }

  private columnOption(table: Table, { name }: Column): Partial<Column> {
    if (this.accept('not', 'null')) return { notNull: true };
    if (this.accept('null')) return {};
    if (this.accept('default')) return { default: this.expression() };
    if (this.accept('generated')) {
      if (!this.accept('always')) this.expect('by', 'default');
      this.expect('as', 'identity');
      return { identity: true };
    }
    const named = this.accept('constraint') ? this.name() : undefined;
    if (this.accept('primary', 'key')) {
      table.uniques.push({ name: named ?? `${table.name}_pkey`, columns: [name] });
      return { notNull: true };
    }
    if (this.accept('unique')) table.uniques.push({ name: named ?? `${table.name}_${name}_key`, columns: [name] });
    else if (this.accept('check')) this.check(table, named, name);
    else this.references(table, [name]);
    return {};
  }

  private constraint(table: Table): void {
    const named = this.accept('constraint') ? this.name() : undefined;
    if (this.accept('check')) return this.check(table, named);
    if (this.accept('primary', 'key')) return this.key(table, (): string => named ?? `${table.name}_pkey`);
    if (this.accept('unique')) {
      return this.key(table, (columns) => named ?? `${table.name}_${columns.join('_')}_key`);
    }
    this.expect('foreign', 'key');
    this.references(table, this.names());
  }

  private key(table: Table, name: (columns: string[]) => string): void {
    const columns = this.names();
    table.uniques.push({ name: name(columns), columns });
  }

  /** Names it as Postgres does: by its column where there is only one, and with a number where the name is taken. */
  private check(table: Table, named: string | undefined, ofColumn?: string): void {
    const expression = this.inParentheses(() => this.expression());
    const columns = table.columns.map(({ name }) => name).filter((name) => mentions(expression, name));
    const column = ofColumn ?? (columns.length === 1 ? columns[0] : undefined);
    const base = column === undefined ? `${table.name}_check` : `${table.name}_${column}_check`;
    const taken = table.checks.filter(({ name }) => name.replace(/\d+$/, '') === base).length;
    table.checks.push({ name: named ?? `${base}${taken === 0 ? '' : taken}`, expression });
  }

  private references(table: Table, columns: readonly string[]): void {
    this.expect('references');
    const other = this.name();
    table.foreignKeys.push({ columns, table: other, keys: this.isSymbol('(') ? this.names() : undefined });
    if (this.accept('on', 'delete')) this.name();
  }

  private names(): string[] {
    return this.inParentheses(() => this.list(() => this.name()));
  }

  private createIndex(isUnique: boolean): void {
    this.accept('if', 'not', 'exists');
    const name = this.name();
    this.expect('on');
    const table = tableOf(this.schema, this.name());
    if (this.accept('using')) this.name();
    const columns = this.inParentheses(() => this.list(() => this.indexed()));
    if (this.accept('include')) this.names();
    const where = this.accept('where') ? this.expression() : undefined;
    if (isUnique) table.uniques.push({ name, columns: columns.map(columnName), where } satisfies Unique);
  }

  private indexed(): Expression {
    const expression = this.expression();
    if (!this.accept('desc')) this.accept('asc');
    return expression;
  }

  private dropIndex(): void {
    this.accept('if', 'exists');
    this.dropConstraint(this.name());
  }

  private dropConstraint(name: string): void {
    for (const table of this.schema.tables.values()) {
      table.uniques = table.uniques.filter((unique) => unique.name !== name);
      table.checks = table.checks.filter((check) => check.name !== name);
    }
  }

  private alterTable(): void {
    this.accept('if', 'exists');
    const table = tableOf(this.schema, this.name());
    this.list(() => this.alteration(table));
  }

  private alteration(table: Table): void {
    if (this.accept('validate', 'constraint')) return void this.name();
    if (this.accept('drop', 'constraint')) {
      this.accept('if', 'exists');
      return this.dropConstraint(this.name());
    }
    if (this.accept('drop')) {
      this.accept('column');
      return this.dropColumn(table, this.name());
    }
    if (this.accept('alter')) {
      this.accept('column');
      return this.alterColumn(table, this.name());
    }
    this.expect('add');
    if (this.isTableConstraint()) {
      this.constraint(table);
      this.accept('not', 'valid');
      return;
    }
    this.accept('column');
    this.accept('if', 'not', 'exists');
    this.newColumn(table);
  }

  private dropColumn(table: Table, name: string): void {
    const index = table.columns.findIndex((column) => column.name === name);
    table.columns.splice(index, 1);
    table.uniques = table.uniques.filter(({ columns }) => !columns.includes(name));
  }

  private alterColumn(table: Table, name: string): void {
    const index = table.columns.findIndex((column) => column.name === name);
    const column = table.columns[index];
    if (!column) throw this.unexpected('a column that exists');
    table.columns[index] = { ...column, ...this.columnChange() };
  }

  private columnChange(): Partial<Column> {
    if (this.accept('set', 'not', 'null')) return { notNull: true };
    if (this.accept('drop', 'not', 'null')) return { notNull: false };
    if (this.accept('set', 'default')) return { default: this.expression() };
    if (this.accept('drop', 'default')) return { default: undefined };
    this.expect('type');
    return { type: this.type() };
  }

  private skip(): void {
    this.skipTo(';');
  }

  private skipTo(symbol: string): void {
    while (!this.isSymbol(symbol) && !this.isAtEnd) this.next();
  }
}

function mentions(expression: unknown, column: string): boolean {
  if (typeof expression !== 'object' || expression === null) return false;
  const { kind, name } = expression as { kind?: string; name?: string };
  return (kind === 'column' && name === column) || Object.values(expression).some((part) => mentions(part, column));
}

function columnName(expression: Expression): string {
  if (expression.kind === 'column') return expression.name;
  throw new Error('The simulated Postgres has unique indexes of columns alone.');
}
