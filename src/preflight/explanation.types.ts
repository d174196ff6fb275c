/** What `explain` gives: one check's page, or all IDs. */
export interface Explanation {
  metadata: Record<string, never>
  checks: {
    id: string
    /** what is right when the check finds nothing */
    check: string
  }[]
  /** Markdown; only where one ID was asked for */
  page?: string
}
