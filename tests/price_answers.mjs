// Random questions with the answers of the price list's own calculator, in the form of
// tests/data/price_answers.tsv. By hand, not in make test (it wants the npm package beside it):
//
//   npm install --prefix /tmp/prices @pydantic/genai-prices@0.1.8
//   cp tests/price_answers.mjs /tmp/prices && node /tmp/prices/price_answers.mjs SEED COUNT
//
// We differ knowingly in four ways, so such rows are not kept: (1) the calculator answers 0 where a row
// has no price for any token sent (hours, pages), we: unknown; (2) prices that are thirds (1/12 USD) are
// rounded to six decimals at conversion; (3) where it answers nothing, we also look without the date,
// without a routing prefix and by Bedrock's ids; (4) ":free" without a provider is OpenRouter's.
import fs from 'fs';
import { calcPrice, findProvider } from '@pydantic/genai-prices';
let E; const of = Array.prototype.find; Array.prototype.find = function (...a) { E ??= this; return of.apply(this, a); }; findProvider({ providerId: 'openai' }); Array.prototype.find = of;
let seed = Number(process.argv[2] ?? 1), count = Number(process.argv[3] ?? 1000);
const rnd = () => { seed = (seed + 0x6D2B79F5) | 0; let t = Math.imul(seed ^ (seed >>> 15), 1 | seed); t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t; return ((t ^ (t >>> 14)) >>> 0) / 4294967296; };
const int = (n) => Math.floor(rnd() * n), pick = (a) => a[int(a.length)];
const texts = (r) => Object.entries(r).flatMap(([k, v]) => k === 'or' || k === 'and' ? v.flatMap(texts) : k === 'regex' ? [v.replace(/^\^/, '').replace(/\$$/, '').replace(/\\d\{8\}/g, '20260401').replace(/\\d\{4\}-\\d\{2\}-\\d\{2\}/g, '2026-04-01').replace(/\\d/g, '7').replace(/\\/g, '')] : [v]);
const all = E.flatMap((p) => p.models.map((m) => [p, m]));
const size = () => pick([0, 1, 7, 100, 1000, 12345, 127999, 128000, 128001, 199999, 200000, 200001, 271999, 272000, 272001, 500000, 1048577]);
const dates = ['2025-05-01T00:00:00Z', '2025-06-09T23:59:59Z', '2025-06-10T00:00:00Z', '2026-03-12T23:59:59Z', '2026-03-13T00:00:00Z', '2026-08-17T00:00:00Z', '2026-10-01T12:00:00Z', '2026-10-01T00:29:59Z', '2026-10-01T00:30:00Z', '2026-10-01T16:29:59Z', '2026-10-01T16:30:00Z', '2026-10-01T20:00:00Z', '2026-11-21T03:59:59Z', '2026-11-21T04:00:00Z', '2027-02-01T06:00:00Z'];
console.log('span_provider\tspan_model\ttoken_usage_json\texpected_model_id\texpected_cost_usd\tnote\tspan_time\tusage_semantics');
const seen = new Set();
for (let i = 0, n = 0; n < count && i < count * 20; i++) {
  const [p, m] = pick(all);
  const form = int(6);
  let model = form < 3 ? m.id : pick(texts(m.match));
  if (form === 1) model = model.toUpperCase();
  if (form === 4) model += pick(['-20250514', '-2025-05-14', '-v1:0', '-x', '20250101', '-preview']);
  let provider = pick([p.id, p.id, p.id, p.id, '', pick(E).id]);
  const inTok = size(), outTok = pick([0, 1, 500, 20000]);
  const u = { input_tokens: inTok, output_tokens: outTok };
  let left = inTok; const take = (k) => { const v = int(left + 1); left -= v; if (v) u[k] = v; return v; };
  if (rnd() < 0.4) take('cache_read_tokens');
  if (rnd() < 0.3) { const w = take('cache_write_tokens'); if (w && rnd() < 0.5) u.cache_write_1h_tokens = int(w + 1); }
  const prices = Array.isArray(m.prices) ? m.prices[0].prices : m.prices;
  if (rnd() < 0.3) { const a = take('input_audio_tokens'); }
  let ol = outTok; if (rnd() < 0.3) { const v = int(ol + 1); ol -= v; if (v) u.output_reasoning_tokens = v; }
  if (rnd() < 0.2) { const v = int(ol + 1); ol -= v; if (v) u.output_audio_tokens = v; }
  const time = pick(dates);
  let r; const warn = console.warn; console.warn = () => {};
  try { r = calcPrice(u, model, { providerId: provider || undefined, timestamp: new Date(time) }); } catch (e) { continue; } finally { console.warn = warn; }
  const key = provider + model + JSON.stringify(u) + time; if (seen.has(key)) continue; seen.add(key);
  n++;
  console.log([provider, model, JSON.stringify(u), r ? `${r.provider.models.includes(r.model) ? r.provider.id : E.find((x) => x.models.includes(r.model)).id}:${r.model.id}` : '', r ? r.total_price.toFixed(12) : '', Object.keys(r?.model_price ?? {}).join(' ') || '-', time, 'inclusive'].join('\t'));
}
