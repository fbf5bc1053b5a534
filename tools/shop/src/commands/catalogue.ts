// list, search, show
import type { Command } from 'commander';
import { action, integer, type Context } from '../context.ts';
import { plain, price, shortened, table, textOfHtml, type Price } from '../text.ts';

interface Variant {
  sku: string;
  title: string;
  price: Price;
  available: number | null;
}

interface Product {
  slug: string;
  title: string;
  vendor: string;
  descriptionHtml: string;
  variants: Variant[];
}

interface Page {
  items: Product[];
  nextCursor: string | null;
}

interface ListOptions {
  category?: string;
  limit: number;
  cursor?: string;
}

const DESCRIPTION_LENGTH = 600;

export function addCatalogueCommands(program: Command): void {
  withPage(program.command('list').description('list products'))
    .option('--category <slug>', 'only this category')
    .action(action((context: Context, options: ListOptions) => list(context, '', options)));
  withPage(program.command('search').description('search products').argument('<words...>', 'words to search for'))
    .option('--category <slug>', 'only this category')
    .action(
      action((context: Context, words: string[], options: ListOptions) => list(context, words.join(' '), options)),
    );
  program
    .command('show')
    .description('show a product with its variants')
    .argument('<slug>', 'slug or identifier')
    .action(action(show));
}

function withPage(command: Command): Command {
  return command
    .option('--limit <n>', 'most products to show', integer(1, 100), 20)
    .option('--cursor <cursor>', 'where the page before ended');
}

async function list({ api, output }: Context, query: string, { category, limit, cursor }: ListOptions): Promise<void> {
  const parameters = { query, category: category ?? '', limit: String(limit), cursor: cursor ?? '' };
  const given = Object.entries(parameters).filter(([, value]) => value !== '');
  const page = await api.get<Page>(`/v1/products?${new URLSearchParams(given).toString()}`);
  output.result(page, () => (page.items.length === 0 ? 'No products.' : listing(page.items)));
  if (page.nextCursor && !output.json) output.note(`There are more: --cursor ${plain(page.nextCursor)}`);
}

function listing(products: Product[]): string {
  return table(products, [
    { title: 'SLUG', value: ({ slug }) => slug, max: 36 },
    { title: 'TITLE', value: ({ title }) => title, max: 40 },
    { title: 'PRICE', value: ({ variants }) => priceRange(variants), align: 'right' },
    { title: 'VARIANTS', value: ({ variants }) => String(variants.length), align: 'right' },
    { title: 'AVAILABLE', value: ({ variants }) => units(variants), align: 'right' },
  ]);
}

async function show({ api, output }: Context, slug: string): Promise<void> {
  const product = await api.get<Product>(`/v1/products/${encodeURIComponent(slug)}`);
  output.result(product, () => {
    const variants = table(product.variants, [
      { title: 'SKU', value: ({ sku }) => sku },
      { title: 'VARIANT', value: ({ title }) => title },
      { title: 'PRICE', value: (variant) => price(variant.price), align: 'right' },
      { title: 'AVAILABLE', value: (variant) => units([variant]), align: 'right' },
    ]);
    const about = shortened(textOfHtml(product.descriptionHtml), DESCRIPTION_LENGTH);
    const title = `${output.style('bold', plain(product.title))}${product.vendor ? `, ${plain(product.vendor)}` : ''}`;
    return [title, ...(about ? [about] : []), '', variants].join('\n');
  });
}

function priceRange(variants: Variant[]): string {
  const sorted = variants.toSorted((a, b) => a.price.amount - b.price.amount);
  const [cheapest, dearest] = [sorted[0], sorted.at(-1)];
  if (!cheapest || !dearest) return '';
  const from = price(cheapest.price);
  return cheapest.price.amount === dearest.price.amount ? from : `${from} to ${price(dearest.price)}`;
}

/** Units of all variants; a question mark while stock is not known. */
function units(variants: Variant[]): string {
  const known = variants.flatMap(({ available }) => (available === null ? [] : [available]));
  return known.length < variants.length ? '?' : String(known.reduce((sum, count) => sum + count, 0));
}
