/** All limits of the HTTP side: sizes, counts, times. The code that enforces one says what happens beyond it. */

const SECOND_MS = 1_000;
const MB = 1024 * 1024;

/** Such as `64 kB` and `1 MB`. */
export const sizeInWords = (bytes: number): string => (bytes < MB ? `${bytes / 1024} kB` : `${bytes / MB} MB`);

/** A body of a request. */
export const MAX_BODY_BYTES = MB;
/** What a run hands in with its whole log. */
export const MAX_RESULT_BYTES = 8 * MB;
/** A call of a trigger. */
export const MAX_TRIGGER_BYTES = 64 * 1024;
/** What it may hold: containers and values together, or fields of a form. */
export const MAX_TRIGGER_VALUES = 5_000;
/** A delivery: GitHub sends nothing larger (github-facts 7.6). */
export const MAX_DELIVERY_BYTES = 25 * MB;
/** From here on a body is verified and parsed beside the main thread, which one of GitHub's largest would hold for 100 ms. */
export const LARGE_BODY_BYTES = MB / 4;
/** Beside the main thread: longer than anything takes but by mistake. GitHub gives a delivery up after as long. */
export const LARGE_BODY_MS = 10 * SECOND_MS;
/** Bodies under way, all together: those of requests, and, apart from them, deliveries. */
export const MAX_BYTES_UNDER_WAY = 32 * MB;
export const MAX_DELIVERY_BYTES_UNDER_WAY = 3 * MAX_DELIVERY_BYTES;
/** What a piece of a body costs beside its bytes. */
export const CHUNK_BYTES = 128;
/** The headers of a request are here by then, and a request with its body. */
export const HEADERS_MS = 10 * SECOND_MS;
export const REQUEST_MS = 60 * SECOND_MS;
/** The task of a job in characters: it goes into a commit, a prompt and comments. */
export const MAX_TASK_LENGTH = 64_000;
/**
 * A character that people see, as `isBlank` has it, for the description of the API: a JSON Schema pattern that needs no
 * flag, so characters beyond U+FFFF all count as seen, and so does what stands in an HTML comment.
 */
export const NOT_BLANK =
  "[^\\s\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u034f\\u061c\\u115f-\\u1160\\u17b4-\\u17b5\\u180b-\\u180f\\u200b-\\u200f" +
  "\\u202a-\\u202e\\u2060-\\u206f\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb]";
/** A key in characters: longer ones are not keys and are not hashed. */
export const MAX_KEY_LENGTH = 200;
export const DEFAULT_PAGE = 20;
export const MAX_PAGE = 100;

/** What an API key may write: far above what GitHub lets one installation create, so it stops loops, not people. */
export const WRITES_PER_MINUTE = 600;
/** What a project may create, and what it may send as messages, in the agent v2 dialect. */
export const PER_PROJECT_AND_HOUR = 100;
/**
 * Numbers of repositories that nobody here has met, in the agent v2 dialect: GitHub is asked once for each, for so many of
 * an account and of all that were not found, within this time.
 */
export const UNKNOWN_NUMBERS_OF_ACCOUNT = 20;
export const UNKNOWN_NUMBERS = 100;
export const UNKNOWN_NUMBERS_MS = 600 * SECOND_MS;
/** Examinations of repositories for one account; each asks GitHub twice. */
export const HEALTH_PER_MINUTE = 30;
/** What all runs behind one address may send; a runner of its own has many of them. */
export const RUN_REQUESTS_PER_ADDRESS = 1_200;
/** What one job's run may send in a minute. */
export const RUN_REQUESTS_PER_JOB = 120;
/** How often it may hand in a result, and be given a token, in a minute. */
export const RESULTS_PER_JOB = 6;
/** Keys and projects whose requests are counted at once; the one that was quiet the longest is forgotten first. */
export const MAX_COUNTED = 10_000;

/** A job whose push could not begin within this is not made: its caller is told when to come again. */
export const MOST_ROOM_WAIT_MS = SECOND_MS;
/** A duplicate waits this long for the first request with its `Idempotency-Key`; then it is told to come again. */
export const DUPLICATE_WAIT_MS = 10 * SECOND_MS;
/** More duplicates of one request than this do not wait. */
export const MAX_WAITING_DUPLICATES = 100;

/** A request that arrives during the start waits this long; then it is told to come again. */
export const HOLD_MS = 9 * SECOND_MS;
export const MAX_HELD = 1_000;
/** Answers under way at the end may take this long. */
export const DRAIN_MS = 25 * SECOND_MS;
/** Longer than the usual 60 s of a load balancer, which would else reuse a connection that we are closing. */
export const KEEP_ALIVE_MS = 65 * SECOND_MS;
