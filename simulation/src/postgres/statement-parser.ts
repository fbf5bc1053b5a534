/** Reads SELECT, VALUES, INSERT, UPDATE and DELETE with their WITH. */
import { ExpressionParser } from './expression-parser.ts';
import type {
  Assignment,
  Delete,
  Expression,
  FromItem,
  Insert,
  Lock,
  OnConflict,
  Query,
  Select,
  SelectItem,
  Statement,
  Update,
  Values,
  With,
} from './syntax.ts';

/** Words that end a clause and so are no alias. */
const RESERVED = new Set(
  `on where from set using inner left cross join order group having limit offset union returning for values select as
   with and or not when then else end is in between like asc desc nulls filter collate default`.split(/\s+/),
);

export function parseStatement(sql: string): Statement {
  return new StatementParser(sql).whole();
}

export class StatementParser extends ExpressionParser {
  whole(): Statement {
    const statement = this.statement();
    this.end();
    return statement;
  }

  protected statement(): Statement {
    const withs = this.accept('with') ? this.list(() => this.commonTable()) : [];
    if (this.accept('insert', 'into')) return this.insert(withs);
    if (this.accept('update')) return this.update(withs);
    if (this.accept('delete', 'from')) return this.delete(withs);
    return this.queryAfter(withs);
  }

  protected query(): Query {
    const withs = this.accept('with') ? this.list(() => this.commonTable()) : [];
    return this.queryAfter(withs);
  }

  private commonTable(): With {
    const name = this.name();
    this.expect('as');
    return { name, statement: this.inParentheses(() => this.statement()) };
  }

  private queryAfter(withs: readonly With[]): Query {
    const parts = [{ body: this.body(), all: true }];
    while (this.accept('union')) parts.push({ all: this.accept('all'), body: this.body() });
    const orderBy = this.orderBy();
    const limit = this.accept('limit') ? this.expression() : undefined;
    const offset = this.accept('offset') ? this.expression() : undefined;
    return { kind: 'query', with: withs, parts, orderBy, limit, offset, lock: this.lock() };
  }

  private body(): Select | Values {
    if (this.accept('values')) {
      return {
        kind: 'values',
        rows: this.list(() => this.inParentheses(() => this.list(() => this.valueOrDefault()))),
      };
    }
    this.expect('select');
    const distinct = this.accept('distinct');
    const items = this.isAt('from') ? [] : this.list(() => this.selectItem());
    return {
      kind: 'select',
      distinct,
      items,
      from: this.accept('from') ? this.fromItems() : [],
      where: this.accept('where') ? this.expression() : undefined,
      groupBy: this.accept('group', 'by') ? this.list(() => this.expression()) : [],
      having: this.accept('having') ? this.expression() : undefined,
    };
  }

  private valueOrDefault(): Expression {
    return this.accept('default') ? { kind: 'call', name: 'default', args: [] } : this.expression();
  }

  private selectItem(): SelectItem {
    if (this.acceptSymbol('*')) return { star: true };
    if (this.isSymbol('.', 1) && this.isSymbol('*', 2)) {
      const table = this.name();
      this.expectSymbol('.');
      this.expectSymbol('*');
      return { star: true, table };
    }
    return { expression: this.expression(), alias: this.alias() };
  }

  private alias(): string | undefined {
    if (this.accept('as')) return this.name();
    const { kind, text } = this.peek();
    return (kind === 'word' && !RESERVED.has(text)) || kind === 'quoted' ? this.name() : undefined;
  }

  private fromItems(): FromItem[] {
    const items = [this.fromItem('inner')];
    for (;;) {
      if (this.acceptSymbol(',') || this.accept('cross', 'join')) items.push(this.fromItem('inner'));
      else if (this.accept('left', 'join')) items.push(this.joined('left'));
      else if (this.accept('join') || this.accept('inner', 'join')) items.push(this.joined('inner'));
      else return items;
    }
  }

  private joined(join: 'inner' | 'left'): FromItem {
    const item = this.fromItem(join);
    if (this.accept('using')) return { ...item, using: this.inParentheses(() => this.list(() => this.name())) };
    this.expect('on');
    return { ...item, on: this.expression() };
  }

  private fromItem(join: 'inner' | 'left'): FromItem {
    this.accept('lateral');
    const source = this.fromSource();
    const alias = this.alias();
    const [columns, types] = alias !== undefined && this.isSymbol('(') ? this.columnDefinitions() : [[], undefined];
    return { source, alias, columns, types, join };
  }

  private fromSource(): FromItem['source'] {
    if (this.isSymbol('(')) return { kind: 'query', query: this.inParentheses(() => this.query()) };
    const name = this.name();
    if (!this.isSymbol('(')) return { kind: 'table', name };
    const args = this.inParentheses(() => (this.isSymbol(')') ? [] : this.list(() => this.expression())));
    return { kind: 'call', name, args, ordinality: this.accept('with', 'ordinality') };
  }

  private columnDefinitions(): [string[], string[] | undefined] {
    const typed = this.inParentheses(() =>
      this.list(() => ({ name: this.name(), type: this.peek().kind === 'word' ? this.type() : undefined })),
    );
    const types = typed.flatMap(({ type }) => type ?? []);
    return [typed.map(({ name }) => name), types.length > 0 ? types : undefined];
  }

  private lock(): Lock | undefined {
    if (!this.accept('for')) return undefined;
    const isShared = this.accept('share');
    if (!isShared && !this.accept('no', 'key', 'update')) this.expect('update');
    if (this.accept('of')) this.name();
    if (this.accept('skip', 'locked')) return { isShared, whenTaken: 'skip' };
    return { isShared, whenTaken: this.accept('nowait') ? 'fail' : 'wait' };
  }

  private insert(withs: readonly With[]): Insert {
    const table = this.name();
    const alias = this.accept('as') ? this.name() : undefined;
    const columns = this.isSymbol('(') ? this.inParentheses(() => this.list(() => this.name())) : undefined;
    this.accept('overriding', 'system', 'value');
    const source = this.accept('default', 'values') ? undefined : this.query();
    const onConflict = this.accept('on', 'conflict') ? this.onConflict() : undefined;
    return { kind: 'insert', with: withs, table, alias, columns, source, onConflict, returning: this.returning() };
  }

  private onConflict(): OnConflict {
    const constraint = this.accept('on', 'constraint') ? this.name() : undefined;
    const columns = this.isSymbol('(') ? this.inParentheses(() => this.list(() => this.name())) : undefined;
    if (this.accept('where')) this.expression();
    this.expect('do');
    if (this.accept('nothing')) return { constraint, columns };
    this.expect('update', 'set');
    const set = this.assignments();
    return { constraint, columns, set, where: this.accept('where') ? this.expression() : undefined };
  }

  private update(withs: readonly With[]): Update {
    const table = this.name();
    const alias = this.alias();
    this.expect('set');
    const set = this.assignments();
    const from = this.accept('from') ? this.fromItems() : [];
    const where = this.accept('where') ? this.expression() : undefined;
    return { kind: 'update', with: withs, table, alias, set, from, where, returning: this.returning() };
  }

  private delete(withs: readonly With[]): Delete {
    const table = this.name();
    const alias = this.alias();
    const from = this.accept('using') ? this.fromItems() : [];
    const where = this.accept('where') ? this.expression() : undefined;
    return { kind: 'delete', with: withs, table, alias, from, where, returning: this.returning() };
  }

  private assignments(): Assignment[] {
    return this.list(() => {
      const column = this.name();
      this.expectSymbol('=');
      return { column, value: this.valueOrDefault() };
    });
  }

  private returning(): SelectItem[] {
    return this.accept('returning') ? this.list(() => this.selectItem()) : [];
  }
}
