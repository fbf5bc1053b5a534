/** Plans statements, each text once for a schema. */
import { ChangePlanner } from './changes.ts';
import { QueryPlanner, type QueryPlan } from './queries.ts';
import type { Schema } from './schema.ts';
import { parseStatement } from './statement-parser.ts';
import type { Statement } from './syntax.ts';

export type Plan = QueryPlan & { readonly command: string };

export class Planner {
  private readonly schema: Schema;
  private readonly plans = new Map<string, Plan>();

  constructor(schema: Schema) {
    this.schema = schema;
  }

  plan(text: string): Plan {
    const known = this.plans.get(text);
    if (known) return known;
    const statement = parseStatement(text);
    const command = statement.kind === 'query' ? 'SELECT' : statement.kind.toUpperCase();
    const { columns, rows } = this.planStatement(statement);
    // A change without RETURNING answers with no rows.
    const isSilent = statement.kind !== 'query' && columns.length === 0;
    const plan: Plan = { columns, command, rows: isSilent ? (run) => (rows(run), []) : rows };
    this.plans.set(text, plan);
    return plan;
  }

  private planStatement(statement: Statement): QueryPlan {
    const queries = new QueryPlanner(this.schema, (inner) => planWith(inner));
    const changes = new ChangePlanner(this.schema, queries);
    const planWith = (inner: Statement): QueryPlan => {
      switch (inner.kind) {
        case 'query':
          return queries.plan(inner);
        case 'insert':
          return changes.insert(inner);
        case 'update':
          return changes.update(inner);
        case 'delete':
          return changes.delete(inner);
      }
    };
    return planWith(statement);
  }
}
