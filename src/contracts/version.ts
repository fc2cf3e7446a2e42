/** Which version of Journeyman this is: package.json's, wherever it is said. */
import packageJson from "../../package.json" with { type: "json" };

export const VERSION: string = packageJson.version;
