import { AppError } from '../../../platform/errors.ts'

export function notAnImage(param: string | null): AppError {
  const message = 'This is not an image of a type that is taken: JPEG, PNG, WebP, GIF, BMP or TIFF.'
  return new AppError('invalid_parameter', message, { param })
}

export function broken(param: string | null): AppError {
  return new AppError('invalid_parameter', 'The image is cut short or broken.', { param })
}

export function tooManyPixels(
  param: string | null,
  { maxPixels, maxSide }: { readonly maxPixels: number; readonly maxSide: number },
): AppError {
  const message = `The image has more than ${maxPixels / 1_000_000} megapixels, or a side of more than ${maxSide} pixels.`
  return new AppError('invalid_parameter', message, { param })
}
