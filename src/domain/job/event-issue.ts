/** An issue or pull request as a webhook shows it, bounded. */
export interface EventIssue {
  readonly number: number;
  readonly title: string;
  readonly body: string;
  readonly is_pull_request: boolean;
  /** It has no comments but the one that the event is about. */
  readonly undiscussed?: true;
}
