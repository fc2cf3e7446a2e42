/** What a new user is told to try first. The sandbox's scripted model knows it too. */
export const FIRST_TASK = "Say hello in the README";
