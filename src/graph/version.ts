/** Version of this library, as documents' `engines` ranges mean it; a test compares it with package.json. */
export const MILLRACE_VERSION = '0.1.0'
