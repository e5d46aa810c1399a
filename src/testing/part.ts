/** A tier's share of runs that the compiled tiers, which are one binary, divide among them: every `of`th from `first` on. */
export interface Part { readonly first: number; readonly of: number }
