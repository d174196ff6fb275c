/** The label of what a run creates: its number. It tells a late request of a stopped process from what belongs to a release. */
export const RUN_LABEL = 'cli.airunway.ai/run'
