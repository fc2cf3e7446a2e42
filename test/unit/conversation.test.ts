import { expect, test } from "vitest";
import { Conversation } from "../../agent/loop/conversation.ts";

test("empty texts of the model are not sent back, which the API would refuse", () => {
  const conversation = new Conversation();
  const text = (words: string) => ({ type: "text" as const, text: words });
  const call = { type: "tool_use" as const, id: "tu_1", name: "bash", input: { command: "" } };
  conversation.add("user", [text("go")]);
  conversation.add("assistant", [text(""), text("I look."), text(" \n"), call]);
  conversation.add("user", [{ type: "tool_result", tool_use_id: "tu_1", content: "" }]);
  conversation.add("assistant", [text("")]);
  const [, second, last, ...more] = conversation.messages();
  expect(second).toEqual({ role: "assistant", content: [text("I look."), call] });
  expect(last).toMatchObject({ role: "user", content: [{ type: "tool_result", content: "" }] });
  expect(more).toEqual([]);
});
