// What a program does with a client generated from the document: one panel, one chart, one tool, and what it may not do.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

declare const process: { argv: string[] };
declare const console: { log(text: string): void };

const baseUrl = process.argv[2] ?? "http://127.0.0.1:3000";
const client = createClient<paths, `application/json${string}`>({ baseUrl });

function must<T>(answer: { data?: T; error?: unknown }): T {
  if (answer.data === undefined) throw new Error(JSON.stringify(answer.error));
  return answer.data;
}

const panel = must(await client.GET("/api/v1/tables/disks", { params: { query: { hostId: 0, limit: 10 } } }));
const disks: components["schemas"]["TableDisksRow"][] = panel.data;
const names: string[] = disks.map((disk) => disk.name);

const chart = must(
  await client.GET("/api/v1/charts/query-count", { params: { query: { interval: "toStartOfHour", lastHours: 24 } } }),
);
const counts: number[] = chart.data.map((point) => point.query_count);

const tool = must(await client.POST("/api/v1/tools/list_databases", { body: {} }));
const databases: number = tool.data.databases.length;

// @ts-expect-error: there is no such panel
client.GET.bind(client, "/api/v1/tables/no-such-panel");
// @ts-expect-error: an interval is one of a few words
const bad: NonNullable<paths["/api/v1/charts/query-count"]["get"]["parameters"]["query"]>["interval"] = "sometimes";
void bad;

console.log(JSON.stringify({ names, points: counts.length, databases }));
