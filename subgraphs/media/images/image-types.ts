/** The types of images that are taken. */
export const imageTypes = [
  'image/jpeg',
  'image/png',
  'image/webp',
  'image/gif',
  'image/bmp',
  'image/tiff',
] as const

export type ImageType = (typeof imageTypes)[number]
