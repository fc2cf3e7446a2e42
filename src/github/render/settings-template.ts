/** The settings file that a set-up pull request brings: every choice explained, most of them at their default. */

export const SETTINGS_TEMPLATE = `# Settings of Journeyman for this repository. Only the file on the default branch counts.
# What is commented out shows the default.

auto_merge:
  # true: a job's pull request is merged once its checks pass and GitHub's rules are met.
  enabled: true
  # merge, squash or rebase
  # method: squash
  # Pull requests that change anything else wait for a person.
  # allowed_paths: ["**"]
  # false: a pull request without any check may merge.
  # require_checks: true
  # Checks that must exist and pass, beside those that the branch's rules require.
  # required_checks: []
  # delete_branch: true

limits:
  # One run of the agent: minutes, model requests, cents.
  # minutes: 30
  # turns: 60
  cost_cents: 500
  # All jobs together, and those of one requester: how many run at once, and how many of their pull requests are open.
  # More wait in line. Without a key: no limit.
  # running: 10
  # running_per_requester: 5
  # open_pull_requests: 10
  # open_pull_requests_per_requester: 5
  # Days after which a pull request that waits for a person is closed; its branch is kept. Without the key: never.
  # expires_days: 30

# commands:
#   Who may use /job: write or admin.
#   allow: write

# A review that asks for changes on a job's pull request is a round of the job: respond, or ignore.
# reviews: respond

# llm:
#   model: claude-sonnet-5-5

# Told to the agent with every job, beside AGENTS.md.
# instructions: ""
# Paths that a job may not change.
# forbidden_paths: []
# Folders that are checked out, beside the files of the top folder. Empty: everything.
# checkout_paths: []
# Hosts that the agent may reach beside the model's provider. Without the key: all.
# egress: [example.com]

# container:
#   The agent works in this image in place of its own, after these commands.
#   image: debian:12
#   setup: ["apt-get update", "apt-get install -y golang-go"]

# cache:
#   What every job finds in its home. Filled by these commands on the default branch when lock files change there.
#   paths: ["~/.npm"]
#   fill: ["npm ci --ignore-scripts"]

# pull_request:
#   Asked for a review: logins, or teams as org/team.
#   reviewers: []
#   labels: []
#   true: whoever asked for a job is assigned to its pull request.
#   assign_requester: false

# budget:
#   How much jobs may cost, by the calendar day and month of UTC, and how many may be created in a day.
#   day_cents: 1000
#   month_cents: 10000
#   jobs_per_day: 20

# reports:
#   true: an issue at the end of each month says what jobs have cost and came to.
#   monthly: false

# schedules:
#   Jobs that begin by themselves: five fields of cron, in a zone of its own.
#   - name: weekly-report
#     schedule: "0 9 * * 1"
#     timezone: Europe/Berlin
#     job: Write docs/report.md anew.

# triggers:
#   Jobs that begin at a call from outside; with \`on\`, at an event of GitHub.
#   - name: alert
#     actions: [{job: "Look into the alert {{body.title}}."}]
#   - name: broken-build
#     on: {check_failed: {checks: ["CI*"]}}
#     actions: [{job: "Mend {{check.name}} on {{check.commit}}."}]

# market:
#   true: jobs of this repository may be given to strangers for money.
#   enabled: false
#   When their files may run here: ask, after_judge or always.
#   run_checks: ask
`;
