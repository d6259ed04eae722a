// whatsapp-api-js with node:http and pg: one row upserted, and awaited, for the status that its handler is given.
import { createServer } from "node:http";
import pg from "pg";
import { WhatsAppAPI } from "whatsapp-api-js/middleware/node-http";

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 16 });
await pool.query(
  "CREATE TABLE IF NOT EXISTS status (wamid text, status text, at bigint, recipient text, PRIMARY KEY (wamid, status))",
);

const whatsapp = new WhatsAppAPI({ token: "bench", appSecret: process.env.APP_SECRET, webhookVerifyToken: "bench" });

whatsapp.on.status = async ({ id, status, timestamp, phone }) => {
  await pool.query({
    name: "upsert",
    text: "INSERT INTO status VALUES ($1, $2, $3, $4) ON CONFLICT (wamid, status) DO UPDATE SET at = excluded.at",
    values: [id, status, timestamp, phone],
  });
};

createServer(async (request, response) => {
  response.statusCode = await whatsapp.handle_post(request);
  response.end();
}).listen(Number(process.env.PORT), "127.0.0.1");
