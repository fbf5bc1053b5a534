import { z } from 'zod';
import {
  idSchema,
  moneySchema,
  nextCursorSchema,
  pageQuery,
  priceSchema,
  skuSchema,
  timeSchema,
  versionSchema,
} from './fields.schemas.js';

const titleSchema = z.string().min(1).max(255).meta({ description: 'Title as shown.', example: 'Brass lantern' });
const slugSchema = z
  .string()
  .min(1)
  .max(255)
  .meta({ description: 'Name in addresses, unique in the shop.', example: 'brass-lantern' });
const descriptionSchema = z.string().max(500_000).meta({ description: 'Description as HTML; sanitised on arrival.' });
const tagsSchema = z
  .array(z.string().min(1).max(255))
  .max(250)
  .meta({ example: ['brass', 'lighting'] });

const optionSchema = z.strictObject({ name: z.string().min(1).max(255), value: z.string().min(1).max(255) }).meta({
  id: 'VariantOption',
  description: 'What tells a variant from its siblings.',
  example: { name: 'Colour', value: 'Silver' },
});

const imageSchema = z
  .strictObject({ url: z.url().max(2_000), alt: z.string().max(1_000).optional() })
  .meta({ id: 'Image', description: 'A picture.' });

export const categorySchema = z
  .strictObject({
    slug: slugSchema.meta({ example: 'lighting' }),
    name: z.string().min(1).max(255).meta({ example: 'Lighting' }),
  })
  .meta({ id: 'Category', description: 'A shelf that products are listed on.' });

const variantInput = z
  .strictObject({
    sku: skuSchema.optional().meta({ description: 'Made from slug and options where it is absent.' }),
    title: z.string().max(255).optional(),
    options: z.array(optionSchema).max(3).optional(),
    price: priceSchema,
    compareAtPrice: priceSchema.optional(),
    barcode: z.string().max(255).optional(),
    grams: z.int().min(0).max(2_000_000_000).optional(),
  })
  .meta({ id: 'VariantInput', description: 'A variant to sell.' });

const variantsInput = z.array(variantInput).min(1).max(2_500);

export const createProductBody = z
  .strictObject({
    title: titleSchema,
    slug: slugSchema.optional().meta({ description: 'Made from the title where it is absent.' }),
    descriptionHtml: descriptionSchema.optional(),
    vendor: z.string().max(255).optional(),
    productType: z.string().max(255).optional(),
    tags: tagsSchema.optional(),
    categories: z.array(categorySchema).max(100).optional(),
    images: z.array(imageSchema).max(250).optional(),
    variants: variantsInput,
  })
  .meta({ id: 'CreateProductRequest' });

export const updateProductBody = z
  .strictObject({
    title: titleSchema,
    descriptionHtml: descriptionSchema,
    vendor: z.string().max(255),
    productType: z.string().max(255),
    tags: tagsSchema,
    variants: variantsInput.meta({ description: 'New variants in place of the old, matched by SKU.' }),
  })
  .partial()
  .refine((change) => Object.keys(change).length > 0, 'names no field to change')
  .meta({ id: 'UpdateProductRequest', description: 'The fields to change; those that are absent stay.' });

export const listProductsQuery = pageQuery.extend({
  query: z.string().max(500).default('').meta({ description: 'Words to search for.', example: 'lantern' }),
  category: z.string().max(255).default('').meta({ description: 'Slug of a category.', example: 'lighting' }),
});

export const productParam = z
  .string()
  .min(1)
  .max(255)
  .meta({ description: 'Identifier or slug.', example: 'brass-lantern' });

const variantSchema = z
  .object({
    sku: skuSchema,
    title: z.string().meta({ example: 'Silver / Small' }),
    options: z.array(z.object({ name: z.string(), value: z.string() })),
    price: moneySchema,
    compareAtPrice: moneySchema.optional(),
    available: z
      .int()
      .nullable()
      .meta({ description: 'Units that can be sold now; null while stock is not known.', example: 12 }),
    barcode: z.string().optional(),
    grams: z.int().optional(),
  })
  .meta({ id: 'Variant', description: 'One buyable form of a product.' });

export const productSchema = z
  .object({
    id: idSchema,
    slug: z.string().meta({ example: 'brass-lantern' }),
    title: z.string().meta({ example: 'Brass lantern' }),
    descriptionHtml: z.string(),
    vendor: z.string(),
    productType: z.string(),
    tags: z.array(z.string()),
    categories: z.array(z.object({ slug: z.string(), name: z.string() })),
    images: z.array(z.object({ url: z.string(), alt: z.string() })),
    variants: z.array(variantSchema),
    version: versionSchema,
    createdAt: timeSchema,
    updatedAt: timeSchema,
  })
  .meta({ id: 'Product', description: 'Something the shop sells.' });

export const productPageSchema = z
  .object({ items: z.array(productSchema), nextCursor: nextCursorSchema })
  .meta({ id: 'ProductPage' });

export const categoriesSchema = z.object({ items: z.array(categorySchema) }).meta({ id: 'Categories' });
