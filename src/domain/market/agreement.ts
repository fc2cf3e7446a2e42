/**
 * Decides when market work is accepted. Checks and judge must agree; without a judge, or with an unsure one, the sender
 * decides, and silence counts as yes after a time. Pure and careful with money: time never overrides a failed or open
 * check, and each opinion applies to one commit.
 */
import { heldFiles, isOnMarket, type Job, type Judgement, judgedSha, type MarketJob } from "../job/job.ts";
import { silentUntil } from "../job/next-timer.ts";
import { type Reason, reason } from "../job/reason.ts";

/** What the checks of a pull request come to. */
export interface Checked extends Reason {
  /** One of them speaks for the work; else a pass means no more than that nothing checks it. */
  readonly speaks: boolean;
}

const dot = (text: string): string => text.trim().replace(/\.$/, "");

/** What the judge says of the work at this commit. */
export function judgeReason(judgement: Judgement | null, sha: string | null): Reason | null {
  if (judgement === null || judgement.sha !== sha) return reason("wait", "the judge has not spoken yet");
  const because = (verdict: Reason["verdict"]): Reason[] => judgement.reasons.map((text) => reason(verdict, dot(text)));
  switch (judgement.verdict) {
    case "pass":
      return reason("pass", "the judge finds that it does what was asked", because("pass"));
    case "fail":
      return reason("fail", "the judge finds that it does not do what was asked", because("fail"));
    case "unsure":
      return reason("wait", "the judge is not sure", because("wait"));
    case "none":
      return null;
    default:
      return judgement.verdict satisfies never;
  }
}

/** When the sender's silence counts as a yes; null: nothing was submitted. */
export const approvedFrom = (job: MarketJob): number | null =>
  job.submitted_at === null ? null : silentUntil(job.work.sender_asked_at, job.submitted_at);

/** The sender was asked and has said nothing in time; exact, whether or not a timer has come by. */
export const isApprovedByTime = (job: Job, now: number): boolean => {
  if (!isOnMarket(job)) return false;
  const from = approvedFrom(job);
  return job.status === "submitted" && job.work.sender_asked_at !== null && from !== null && now >= from;
};

/** As people read it, e.g. `2030-01-31 12:00 UTC`. */
const moment = (at: number): string => `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;

/** Nobody but the sender can say: asked, answered, or out of time. */
function senderReason(job: MarketJob, sha: string | null, now: number, because: readonly Reason[]): Reason {
  const { approval, sender_asked_at } = job.work;
  if (approval !== null && approval.sha === sha)
    return reason(
      "pass",
      approval.by === null ? "nobody has objected in time" : `${approval.by} has approved it`,
      because,
    );
  const from = approvedFrom({ ...job, work: { ...job.work, sender_asked_at: sender_asked_at ?? now } });
  if (job.status !== "submitted" || from === null) return reason("wait", "a person must merge it", because);
  if (now >= from) return reason("pass", "nobody has objected in time", because);
  const until = moment(from);
  const text =
    heldFiles(job) === null
      ? `the sender decides; it counts as approved from ${until} on`
      : `the sender decides whether its files may run; it counts as approved from ${until} on`;
  return reason("wait", text, because);
}

export interface Agreement {
  readonly work: Reason;
  /** No judge has said, and no check objects: it is the sender's turn. */
  readonly asks_sender: boolean;
}

/**
 * Green checks speak for what the repository was before as well: they can object, and pass nothing without the judge.
 * `checked` null: the work is words alone, or files that may not run, which no check sees and the judge alone does not pay for.
 */
export function agreed(checked: Checked | null, job: MarketJob, now: number): Agreement {
  const { judgement } = job.work;
  const sha = checked === null ? judgedSha(job) : job.head_sha;
  const judge = judgeReason(judgement, sha);
  const said = [...(checked === null ? [] : [checked]), ...(judge === null ? [] : [judge])].map(plain);
  const open = (work: Reason): Agreement => ({ work, asks_sender: false });
  if (checked?.verdict === "fail") return open(checked);
  if (judge?.verdict === "fail") return open(judge);
  if (checked?.verdict === "wait") return open(reason("wait", checked.text, judge === null ? checked.because : said));
  const unsure = judgement?.sha === sha && judgement.verdict === "unsure";
  if (judge?.verdict === "wait" && !unsure) return open(reason("wait", judge.text, said.slice(0, -1)));
  if (judge?.verdict === "pass" && checked !== null)
    return open(
      reason("pass", checked.speaks ? "checks and judge agree" : "the judge agrees, and no check objects", said),
    );
  return { work: senderReason(job, sha, now, said), asks_sender: true };
}

const plain = ({ verdict, text, because, url }: Reason): Reason => reason(verdict, text, because, url);
