/** The context of the GraphQL objects of one request. */
import { authorize, type Need } from "./access.ts";
import type { Repository } from "./model.ts";
import type { ApiRequest } from "./router.ts";
import type { World } from "./world.ts";

type ObjectOf<Id, Made> = (context: GraphqlContext, repository: Repository, id: Id) => Made;

export interface GraphqlContext {
  readonly world: World;
  readonly request: ApiRequest;
  /** Objects that pull requests refer to and that refer to them. */
  readonly objects: {
    readonly commit: ObjectOf<string, object | null>;
    readonly ref: ObjectOf<string, object | null>;
    readonly repository: (context: GraphqlContext, repository: Repository) => object;
  };
}

export function mustHave(context: GraphqlContext, repository: Repository, ...needs: Need[]): void {
  authorize(context.request.actor, repository, needs);
}
