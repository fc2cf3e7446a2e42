import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { COMMAND_WITHIN } from "../../src/github/events/find-command.ts";
import { readSlashCommand, TASK_LIMIT } from "../../src/github/events/slash-command.ts";

interface Choices {
  readonly model?: string;
  readonly no_merge?: boolean;
  readonly draft?: boolean;
  readonly again?: true;
  readonly market?: { readonly price_cents: number };
}

const run = (task: string, choices: Choices = {}) => ({
  verb: "run",
  task,
  model: null,
  no_merge: false,
  market: null,
  draft: false,
  ...choices,
});

const sentenceOf = (comment: string): string => {
  const command = readSlashCommand(comment);
  return command?.verb === "mistaken" ? command.sentence : `not mistaken: ${JSON.stringify(command)}`;
};

describe("a task", () => {
  test.each([
    ["on its line", "/job fix the login", "fix the login"],
    ["left out", "/job", ""],
    ["left out, with blanks", "/job  \t\n\n", ""],
    ["after a polite word", "Hello!\n\n/job fix it", "fix it"],
    ["on the next line of a paragraph", "Hello!\n/job fix it", "fix it"],
    ["indented a little", "   /job fix it", "fix it"],
    ["in any case", "/JOB Fix It", "Fix It"],
    ["after a colon", "/job: fix it", "fix it"],
    ["after a no-break space", "/job\u00a0fix it", "fix it"],
    ["behind a byte order mark", "\ufeff/job fix it", "fix it"],
    ["below the command", "/job\n\nfix it\n\n- a\n- b", "fix it\n\n- a\n- b"],
    ["with code after it", "/job make this pass:\n\n```js\na()\n```", "make this pass:\n\n```js\na()\n```"],
    ["with a quote after it", "/job do what she said\n> more tests", "do what she said\n> more tests"],
    ["with a second command in it", "/job one\n/job two", "one\n/job two"],
    ["with Windows line ends", "Hi\r\n\r\n/job fix it\r\nand that\r\n", "fix it\nand that"],
    ["with old Mac line ends", "Hi\r/job fix it", "fix it"],
    ["in another script", "/job 修复登录 🙈 שלום", "修复登录 🙈 שלום"],
    ["with markup in it", "/job **bold** `code` <b>", "**bold** `code` <b>"],
    ["underlined by accident", "/job fix it\n---\nmore", "fix it\n---\nmore"],
    ["that begins with a verb, behind two dashes", "/job -- cancel the order", "cancel the order"],
    ["of a verb's relation, with more below", "/job stats\n\nShow a page.", "stats\n\nShow a page."],
    ["of one word", "/job refactor", "refactor"],
    [
      "with a polite word and a verb among others",
      "/job please cancel orders that are late",
      "please cancel orders that are late",
    ],
    ["with a polite word alone at its head", "/job please help\n\nThe login fails.", "please help\n\nThe login fails."],
    ["of polite words and one of its own", "/job please refactor this", "please refactor this"],
    ["with a verb among fillers after two dashes", "/job -- please cancel", "please cancel"],
    ["of polite words alone", "/job do it now", "do it now"],
    ["with a short word that is like a verb", "/job please say it", "please say it"],
    ["of a greeting", "/job say hello", "say hello"],
    [
      "that begins with a word for a verb",
      "/job undo the last commit's formatting",
      "undo the last commit's formatting",
    ],
    ["with a word for a verb and one of its own", "/job undo that commit", "undo that commit"],
    ["that forbids something", "/job don't cancel orders that are late", "don't cancel orders that are late"],
    ["that is like a verb's word among others", "/job add a step for skills", "add a step for skills"],
    ["of a negative and one word of its own", "/job do not cache this", "do not cache this"],
    ["of an HTML comment alone, which is none", "/job <!-- x -->", ""],
    ["of an HTML comment that never ends, which is none", "/job\n\n<!-- fix it", ""],
    ["with an HTML comment in it", "/job <!-- x --> fix it", "<!-- x --> fix it"],
    ["that looks like a verb after two dashes", "/job -- status", "status"],
    ["after a closed HTML comment", "<!-- x -->\n\n/job fix it", "fix it"],
    ["after a closed fence", "```\n/job a\n```\n/job b", "b"],
    ["after a quote and a blank line", "> /job a\n\n/job b", "b"],
    ["after a closed quotation", "<blockquote>\n\n/job a\n\n</blockquote>\n\n/job b", "b"],
  ])("%s", (_, comment, task) => {
    expect(readSlashCommand(comment)).toEqual(run(task));
  });
});

describe("no command stands", () => {
  test.each([
    ["in an empty comment", ""],
    ["in ordinary words", "Nice work, thanks."],
    ["in the middle of a line", "you can say /job fix it"],
    ["in a quote", "> /job fix it"],
    ["in a quote that goes on without its mark", "> somebody said\n/job fix it"],
    ["in a quote of a quote", "> > /job fix it"],
    ["in an alert", "> [!NOTE]\n> /job fix it"],
    ["in a fenced block", "```\n/job fix it\n```"],
    ["in a fenced block that never ends", "~~~sh\n\n/job fix it\n\nmore"],
    ["in an indented block", "See:\n\n    /job fix it"],
    ["in inline code", "`/job fix it`"],
    ["in inline code over several lines", "`one\n/job fix it\nthree`"],
    ["in an HTML comment", "<!-- /job fix it -->"],
    ["in an HTML comment over several lines", "<!--\n\n/job fix it\n\n-->"],
    ["in an HTML comment that never ends", "<!--\n\n/job fix it"],
    ["in an HTML comment inside a paragraph", "hello <!--\n/job fix it\n-->"],
    ["in an HTML block", "<div>\n/job fix it\n</div>"],
    ["in an HTML quotation", "<blockquote>\n\n/job fix it\n\n</blockquote>"],
    ["in a list", "- /job fix it"],
    ["in a list of a list", "- a\n  - b\n\n    /job fix it"],
    ["in a numbered list", "1. a\n\n   /job fix it"],
    ["in a task list", "- [ ] /job fix it"],
    ["in a heading", "# /job fix it"],
    ["in bold", "**/job fix it**"],
    ["behind a backslash", "\\/job fix it"],
    ["in a path", "/job/queue is slow"],
    ["in a longer path", "/jobs/api answers 500"],
    ["in a file name", "/job.ts is broken"],
    ["in another word", "/jobless people"],
    ["in an option", "/job-status fails"],
    ["in the command of another bot", "/retest"],
    ["in the short command of another bot", "/bob build it"],
    ["in a comment that is far too long before it", `${"word ".repeat(COMMAND_WITHIN / 5)}\n\n/job fix it`],
  ])("%s", (_, comment) => {
    expect(readSlashCommand(comment)).toBeNull();
  });
});

describe("a verb", () => {
  test.each([
    ["/job status", "status"],
    ["/job cancel", "cancel"],
    ["/job retry", "retry"],
    ["/job help", "help"],
    ["/job Status", "status"],
    ["/JOB   CANCEL  ", "cancel"],
    ["/job help?", "help"],
    ["/job usage", "usage"],
    ["/job approve", "approve"],
    ["/job run-checks", "run-checks"],
    ["/job pay.", "pay"],
    ["/job cancel!\r\n\r\nThank you.", "cancel"],
    ["/job cancel<br>", "cancel"],
    ["/job cancel <br />\n\nThank you.", "cancel"],
    ["/job status</p>", "status"],
    ["/job retry <!-- again -->", "retry"],
  ])("%j is %s", (comment, verb) => {
    expect(readSlashCommand(comment)).toEqual({ verb });
  });

  test.each([
    ["/job reject", ""],
    ["/job reject\n\nThere is no test.\n- a\n- b\n", "There is no test.\n- a\n- b"],
  ])("%j sends work back, with what stands below it as the reason", (comment, reason) => {
    expect(readSlashCommand(comment)).toEqual({ verb: "reject", reason });
  });

  test.each([
    ["/job cancel abcd1234", { verb: "cancel", job: "abcd1234" }],
    ["/job Status job/abcd1234", { verb: "status", job: "abcd1234" }],
    ["/job cancel,abcd1234", { verb: "cancel", job: "abcd1234" }],
    ["/job retry `abcd1234`.", { verb: "retry", job: "abcd1234" }],
    ["/job approve everyone", { verb: "approve", job: "everyone" }],
    ["/job run-checks 0123456789", { verb: "run-checks", commit: "0123456789" }],
    ["/job approve 0123456789", { verb: "approve", commit: "0123456789" }],
    ["/job run-checks abcd1234 `0123456789`", { verb: "run-checks", job: "abcd1234", commit: "0123456789" }],
    ["/job reject abcd1234\n\nNo test.", { verb: "reject", job: "abcd1234", reason: "No test." }],
  ])("%j names its job", (comment, command) => {
    expect(readSlashCommand(comment)).toEqual(command);
  });

  test.each([
    ["/job Cancel, please", "cancel"],
    ["/job cancel the order when it is late", "cancel"],
    ["/job cancel abcd1234 now", "cancel"],
    ["/job cancel abcd", "cancel"],
    ["/job --draft cancel abcd", "cancel"],
    ["/job reject empty names in the form", "reject"],
    ["/job approve pull requests of bots", "approve"],
    ["/job help abcd1234", "help"],
    ["/job usage of the API in the README", "usage"],
    ["/job status?! of it", "status"],
    ["/job please cancel", "cancel"],
    ["/job Please, cancel it now!", "cancel"],
    ["/job could you cancel this job please?", "cancel"],
    ["/job please cancel abcd1234", "cancel"],
    ["/job please stop\n\nThanks!", "cancel"],
    ["/job please try again", "retry"],
    ["/job 🛑 cancel", "cancel"],
    ["/job cancel&nbsp;", "cancel"],
    ["/job - cancel", "cancel"],
    ["/job\n\ncancel", "cancel"],
    ["/job cancel/abcd1234", "cancel"],
    ["/job please cancel again", "cancel"],
    ["/job can you retyr", "retry"],
    ["/job cancel<T> of the queue", "cancel"],
    ["/job run checks", "run-checks"],
    ["/job cancel <abcd1234>", "cancel"],
    ["/job pay <abcd1234>", "pay"],
    ["/job cancel<abcd1234>", "cancel"],
    ["/job retry <Button>", "retry"],
    ["/job approve <if the tests are green>", "approve"],
    ["/job approve <https://github.com/a/b/pull/3>", "approve"],
    ["/job undo it", "cancel"],
    ["/job stopp it", "cancel"],
    ["/job please stopp\n\nThanks", "cancel"],
    ["/job stop and cancel", "cancel"],
    ["/job it is cancelled", "cancel"],
    ["/job redo it please", "retry"],
  ])("with something it does not take is a question back, never a task: %j", (comment, verb) => {
    const sentence = sentenceOf(comment);
    expect(sentence).toContain(`Did you mean \`/job ${verb}\`?`);
    expect(sentence).toContain(`\`/job -- ${verb} …\``);
  });
});

describe("a verb with a negative starts and changes nothing", () => {
  test.each([
    ["/job don't cancel", "cancel"],
    ["/job don\u2019t cancel!", "cancel"],
    ["/job dont cancel it", "cancel"],
    ["/job do not retry", "retry"],
    ["/job don't stopp", "cancel"],
    ["/job never approve this, please", "approve"],
    ["/job don't cancel abcd1234", "cancel"],
    ["/job don't", "cancel"],
    ["/job do not do it", "cancel"],
    ["/job never mind", "cancel"],
    ["/job no thanks", "cancel"],
    ["/job don't cancel, retry", "cancel"],
  ])("%j", (comment, verb) => {
    expect(sentenceOf(comment)).toContain("Nothing was changed and no job was started.");
    expect(sentenceOf(comment)).toContain(`\`/job ${verb}\``);
  });
});

describe("a bare no", () => {
  test.each(["No.", "don't do it", "not now", "never"])("may be an answer: %s", (text) => {
    expect(readSlashCommand(`/job ${text}`)).toMatchObject({ verb: "mistaken", answer: text });
  });

  test.each(["don't cancel", "please cancel", "cancle", "do not try again"])("is none beside a verb: %s", (text) => {
    expect(readSlashCommand(`/job ${text}`)).not.toHaveProperty("answer");
  });
});

describe("flags", () => {
  test.each([
    ["/job --draft fix it", run("fix it", { draft: true })],
    ["/job --no-merge fix it", run("fix it", { no_merge: true })],
    ["/job --model claude-opus-4 fix it", run("fix it", { model: "claude-opus-4" })],
    ["/job --model=org/model:7b@x fix it", run("fix it", { model: "org/model:7b@x" })],
    ["/job --Draft --NO-MERGE --model=m x", run("x", { model: "m", no_merge: true, draft: true })],
    ["/job --model a --model b x", run("x", { model: "b" })],
    ["/job \u2014draft \u2013no-merge fix it", run("fix it", { draft: true, no_merge: true })],
    ["/job --draft", run("", { draft: true })],
    ["/job --again fix it", run("fix it", { again: true })],
    ["/job --again", run("", { again: true })],
    ["/job \u200b\u00ad", run("")],
    ["/job --draft\n\nfix it", run("fix it", { draft: true })],
    ["/job --draft -- --verbose should print more", run("--verbose should print more", { draft: true })],
    ["/job\n--draft is broken", run("--draft is broken")],
    ["/job -v should print the version", run("-v should print the version")],
    ["/job make the tool take `--draft`", run("make the tool take `--draft`")],
    ["/job --draft refactor", run("refactor", { draft: true })],
    ["/job --market --price 5.00 fix it", run("fix it", { market: { price_cents: 500 } })],
    ["/job --price=$1000 --market fix it", run("fix it", { market: { price_cents: 100_000 } })],
    ["/job --market --price 1.1 --no-merge fix it", run("fix it", { market: { price_cents: 110 }, no_merge: true })],
    ["/job --market --price 19.99", run("", { market: { price_cents: 1_999 } })],
  ])("%j", (comment, command) => {
    expect(readSlashCommand(comment)).toEqual(command);
  });
});

describe("a mistake is named, with what to do", () => {
  test.each([
    ["/job statsu", "Did you mean `/job status`?"],
    ["/job cancle", "Did you mean `/job cancel`?"],
    ["/job cancle abcd1234", "Did you mean `/job cancel`?"],
    ["/job Retyr", "Did you mean `/job retry`?"],
    ["/job hlep", "Did you mean `/job help`?"],
    ["/job statuss!", "Did you mean `/job status`?"],
    ["/job `cancel`", "Did you mean `/job cancel`?"],
    ["/job **Cancel** abcd1234", "Did you mean `/job cancel`?"],
    ['/job "retry".', "Did you mean `/job retry`?"],
    ["/job _status_", "Did you mean `/job status`?"],
    ["/job stop", "Did you mean `/job cancel`?"],
    ["/job kill", "Did you mean `/job cancel`?"],
    ["/job Discard!", "Did you mean `/job cancel`?"],
    ["/job rerun", "Did you mean `/job retry`?"],
    ["/job undo", "Did you mean `/job cancel`?"],
    ["/job stopp", "Did you mean `/job cancel`?"],
    ["/job sotp", "Did you mean `/job cancel`?"],
    ["/job Cancelled.", "Did you mean `/job cancel`?"],
    ["/job stopping", "Did you mean `/job cancel`?"],
    ["/job restart", "Did you mean `/job retry`?"],
    ["/job approving", "Did you mean `/job approve`?"],
    ["/job nevermind", "Did you mean `/job cancel`?"],
    ["/job --draft status", "Did you mean `/job status`? It takes no flags."],
    ["/job --darft fix it", "Did you mean `--draft`?"],
    ["/job --nomerge fix it", "Did you mean `--no-merge`?"],
    ["/job --modle=x fix it", "Did you mean `--model`?"],
    [
      "/job --verbose fix it",
      "The flags are `--model NAME`, `--no-merge`, `--draft`, `--again`, `--over-budget`, `--market` and `--price DOLLARS`",
    ],
    ["/job fix it --again", "Put flags before the task"],
    ["/job --again=yes fix it", "`--again` takes no value"],
    ["/job -draft fix it", "Did you mean `--draft`, with two dashes?"],
    ["/job --draft=no fix it", "`--draft` takes no value"],
    ["/job --model", "`--model` needs the name of a model"],
    ["/job --model --draft fix it", "`--model` needs the name of a model"],
    ["/job --model= fix it", "`--model` needs the name of a model"],
    ["/job --model 'a;b' fix it", "`--model` needs the name of a model"],
    ["/job fix it --no-merge", "Put flags before the task"],
    ["/job fix it --model gpt", "Put flags before the task"],
    ["/job run --over-budget fix it", "Leave out `run`"],
    ["/job Run --no-merge", "Leave out `run`"],
    ["/job run --model=m fix it", "Leave out `run`"],
    ["/job --market fix it", "A market job needs a price"],
    ["/job --price 5 fix it", "Only market jobs have a price"],
    ["/job --market --model m --price 5 fix it", "cannot be combined"],
    ["/job --market --price 0.99 fix it", "from 1.00 to 1000.00"],
    ["/job --market --price 1000.01 fix it", "from 1.00 to 1000.00"],
    ["/job --market --price 5.001 fix it", "`--price` needs an amount"],
    ["/job --market --price 5,00 fix it", "`--price` needs an amount"],
    ["/job --market --price -5 fix it", "`--price` needs an amount"],
    ["/job --market --price 1e3 fix it", "`--price` needs an amount"],
    ["/job --market --price", "`--price` needs an amount"],
    ["/job --market=yes fix it", "`--market` takes no value"],
    ["/job fix it --market", "Put flags before the task"],
    ["/job fix it --price 5.00", "Put flags before the task"],
    ["/job aprove", "Did you mean `/job approve`?"],
    ["/job rejct", "Did you mean `/job reject`?"],
    ["/jbo fix it", "Did you mean `/job`?"],
    ["/jobs fix it", "Did you mean `/job`?"],
    ["/jjob", "Did you mean `/job`?"],
    [`/job ${"x".repeat(TASK_LIMIT + 1)}`, `The task has ${TASK_LIMIT + 1} characters`],
  ])("%j", (comment, sentence) => {
    expect(sentenceOf(comment)).toContain(sentence);
  });

  test("a foreign flag cannot break out of the backticks that show it", () => {
    expect(sentenceOf("/job --a`@everyone` x")).toContain("`--aeveryone` is not a flag");
  });

  test("a slip is answered only where a comment begins, and not in quotes", () => {
    expect(readSlashCommand("As I said:\n\n/jobs fix it")).toBeNull();
    expect(readSlashCommand("> /jobs fix it")).toBeNull();
    expect(readSlashCommand("    /jobs fix it")).toBeNull();
    expect(readSlashCommand("/jobs is the page I mean\n\n/job fix it")).toEqual(run("fix it"));
  });

  test("a task as long as it may be is taken", () => {
    expect(readSlashCommand(`/job ${"x".repeat(TASK_LIMIT)}`)).toEqual(run("x".repeat(TASK_LIMIT)));
  });
});

describe("hostile markdown", () => {
  const pieces = [
    "[",
    "*a_",
    "a**b",
    ">",
    ">\n",
    "> - ",
    "- ",
    "`",
    "<a ",
    "<!--",
    "![",
    "[a](",
    "&amp",
    "\\",
    "\t",
    "```\n",
  ];

  test.each(pieces)("a comment of nothing but %j before a command is read to its end", (piece) => {
    const comment = `${piece.repeat(Math.floor(COMMAND_WITHIN / piece.length) - 5)}\n\n/job fix it`;
    const command = readSlashCommand(comment);
    expect([null, "run"]).toContain(command === null ? null : command.verb);
  });

  test("no text at all makes it throw, and a task never holds more than the comment did", () => {
    const piece = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom(
        "/job",
        " ",
        "\n",
        "\r\n",
        "> ",
        "```",
        "`",
        "<!--",
        "-->",
        "- ",
        "--draft",
        "--model",
        "=",
        "---",
      ),
    );
    fc.assert(
      fc.property(fc.array(piece), (parts) => {
        const comment = parts.join("");
        const command = readSlashCommand(comment);
        if (command?.verb === "run") expect(comment.replace(/\r\n?/g, "\n")).toContain(command.task);
      }),
    );
  });

  test("one command that stands first in a plain comment is always read", () => {
    const word = fc.stringMatching(/^[a-z]{2,9}$/);
    fc.assert(
      fc.property(fc.array(word, { minLength: 2 }), (words) => {
        expect(readSlashCommand(`/job ${words.join(" ")}`)).toEqual(run(words.join(" ")));
      }),
    );
  });
});
