/**
 * Bounds YAML before parsing: the parser recurses per level and takes minutes for 400 nested `? `. The bounds are
 * checked on the tokens of its lexer, which has neither problem.
 */
import { CST, Lexer } from "yaml";

/** Nesting levels of lists and maps; settings have three. */
const MAX_DEPTH = 16;
/** Each block level is indented further. */
const MAX_INDENT = 64;
/** Lexer tokens; a list of 100 names has 500. */
const MAX_PIECES = 4_000;
const MAX_ALIASES = 20;

const DEEP = "nests lists and maps too deeply";

class Bounds {
  line = 1;
  #flow: string[] = [];
  #atStart = true;
  #marks = 0;
  #aliases = 0;

  /** What is wrong with the next token; null when nothing is. */
  take(piece: string): string | null {
    const wrong = this.#judge(piece, CST.tokenType(piece));
    for (const character of piece) if (character === "\n") this.#newLine();
    return wrong;
  }

  #newLine(): void {
    this.line += 1;
    this.#atStart = true;
    this.#marks = 0;
  }

  #judge(piece: string, type: CST.TokenType | null): string | null {
    const isStart = this.#atStart;
    this.#atStart = false;
    switch (type) {
      case "space":
        return isStart && piece.length > MAX_INDENT ? DEEP : null;
      case "explicit-key-ind":
        return "has a key after a question mark, which is not supported";
      case "seq-item-ind":
      case "map-value-ind":
        return this.#mark();
      case "flow-seq-start":
      case "flow-map-start":
        this.#flow.push(type === "flow-seq-start" ? "flow-seq-end" : "flow-map-end");
        return this.#flow.length > MAX_DEPTH ? DEEP : null;
      case "flow-seq-end":
      case "flow-map-end":
        return this.#flow.pop() === type ? null : "has a closing bracket that nothing opened";
      case "anchor":
      case "alias":
        this.#aliases += 1;
        return this.#aliases > MAX_ALIASES ? "has too many anchors and aliases" : null;
      default:
        return null;
    }
  }

  /** In block style each `- ` and `: ` of a line may open a level; inside brackets the brackets count. */
  #mark(): string | null {
    if (this.#flow.length > 0) return null;
    this.#marks += 1;
    return this.#marks > MAX_DEPTH ? DEEP : null;
  }
}

/** Why a text must not be parsed, as a sentence without its subject, with its line; null when it may be. */
export function yamlOutOfBounds(text: string): { readonly words: string; readonly line: number | null } | null {
  const bounds = new Bounds();
  let pieces = 0;
  for (const piece of new Lexer().lex(text)) {
    pieces += 1;
    if (pieces > MAX_PIECES) return { words: "is too long. Keep only the settings in it.", line: null };
    const why = bounds.take(piece);
    if (why !== null) return { words: `${why}: fix line ${bounds.line}.`, line: bounds.line };
  }
  return null;
}
