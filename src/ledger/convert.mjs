#!/usr/bin/env node
// Turns the price data of the npm package @pydantic/genai-prices into src/ledger/list.txt.
// A maintainer runs it by hand when the list is renewed; the build reads its output only:
//
//   npm install --prefix /tmp/prices @pydantic/genai-prices@0.1.8
//   node src/ledger/convert.mjs /tmp/prices/node_modules/@pydantic/genai-prices 2026-09-23 > src/ledger/list.txt
//   make && build/tests/test_prices
//
// Whatever it does not know stops it: a new shape of rule, constraint or price must be read by a
// person first, or calls would be priced by half of it.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const fail = (text) => {
    process.stderr.write(`convert.mjs: ${text}\n`);
    process.exit(1);
};

const [, , folder, published] = process.argv;
if (!folder || !/^\d{4}-\d{2}-\d{2}$/.test(published ?? ''))
    fail('usage: convert.mjs PACKAGE_FOLDER DATE_OF_PUBLICATION');
const about = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
if (about.license !== 'MIT') fail(`licence is ${about.license}, want MIT`);

// The package exports lookups, not its list; a lookup searches the list, and shows it.
async function load() {
    const library = await import(pathToFileURL(path.join(folder, 'dist/index.js')));
    const find = Array.prototype.find;
    let list;
    Array.prototype.find = function (...args) {
        list ??= this;
        return find.apply(this, args);
    };
    library.findProvider({ providerId: 'openai' });
    Array.prototype.find = find;
    return list;
}

// ---- rules: alternatives, each a list of terms that must all hold ----

// Terms, on lower-case text: = whole, ^ start, $ end, * anywhere; ~ whole and ~^ start with '#' for
// one digit. A leading '!' negates.
const REGEXES = new Map([
    [String.raw`^o[134]`, [['^', 'o1'], ['^', 'o3'], ['^', 'o4']].map((term) => [term])],
    [String.raw`^(?!.*-[tT][tT][sS](?:$|-))`, [[['!$', '-tts'], ['!*', '-tts-']]]],
    [
        String.raw`^(?![^/]+/)(?:labs-)?(?:(?:mi|code|dev|magi|mini)stral|mixtral|pixtral|voxtral|open-(?:mistral|mixtral))`,
        ['', 'labs-'].flatMap((lab) =>
            ['mistral', 'codestral', 'devstral', 'magistral', 'ministral', 'mixtral', 'pixtral', 'voxtral',
                'open-mistral', 'open-mixtral'].map((name) => [['!*', '/'], ['^', lab + name]])),
    ],
]);

function fromRegex(regex) {
    if (REGEXES.has(regex)) return REGEXES.get(regex);
    let left = regex;
    let text = '';
    if (!left.startsWith('^')) fail(`regex '${regex}' does not start with ^`);
    left = left.slice(1);
    const whole = left.endsWith('$');
    if (whole) left = left.slice(0, -1);
    while (left) {
        const digits = /^\\d(?:\{(\d)\})?/.exec(left);
        const escaped = /^\\([.[\]/])/.exec(left);
        const plain = /^[a-zA-Z0-9/=_-]/.exec(left);
        const taken = digits ?? escaped ?? plain;
        if (!taken) fail(`regex '${regex}' has an unknown shape at '${left}'`);
        text += digits ? '#'.repeat(Number(digits[1] ?? 1)) : (escaped?.[1] ?? taken[0]);
        left = left.slice(taken[0].length);
    }
    // The library compares with lower-case text, so a capital letter here could never match.
    if (text !== text.toLowerCase()) fail(`regex '${regex}' has capital letters`);
    const kind = text.includes('#') ? (whole ? '~' : '~^') : whole ? '=' : '^';
    return [[[kind, text]]];
}

const KINDS = { equals: '=', starts_with: '^', ends_with: '$', contains: '*' };

function alternatives(rule) {
    const [[kind, value], ...more] = Object.entries(rule);
    if (more.length) fail(`a rule with ${more.length + 1} keys: ${JSON.stringify(rule)}`);
    if (kind === 'or') return value.flatMap(alternatives);
    if (kind === 'and')
        return value.map(alternatives).reduce((all, part) =>
            all.flatMap((left) => part.map((right) => [...left, ...right])));
    if (kind === 'regex') return fromRegex(value);
    if (!KINDS[kind]) fail(`unknown rule ${JSON.stringify(rule)}`);
    return [[[KINDS[kind], clean(value.toLowerCase())]]];
}

function clean(text) {
    if (/[\t\n\r#]/.test(text) || text === '') fail(`'${text}' cannot be written in a line`);
    return text;
}

const ruleLines = (word, rule) =>
    alternatives(rule).map((terms) => [word, ...terms.flat()].join('\t'));

// ---- hosts ----

// api_pattern of a provider -> rules on "host/path", by hand where it is more than a literal.
const HOSTS = new Map([
    [String.raw`https://bedrock-runtime\.[a-z0-9-]+\.amazonaws\.com(/|$)`, [[['*', 'bedrock-runtime.'], ['*', '.amazonaws.com']]]],
    [
        String.raw`(https?://)?([^.]*\.)?(?:openai\.azure\.com|azure-api\.net|cognitiveservices\.azure\.com|services\.ai\.azure\.com)`,
        ['openai.azure.com', 'azure-api.net', 'cognitiveservices.azure.com', 'services.ai.azure.com'].map((host) => [['*', host]]),
    ],
    [String.raw`https://api\.cloudflare\.com/client/v4/accounts/[^/]+/ai(?:/|$)`, [[['^', 'api.cloudflare.com']]]],
    [String.raw`https://api\.cohere\.(?:ai|com)`, [[['^', 'api.cohere.ai']], [['^', 'api.cohere.com']]]],
    [String.raw`https://(.*\.)?googleapis\.com`, [[['^', 'googleapis.com']], [['*', '.googleapis.com']]]],
    [String.raw`https://api\.minimax(i)?\.(?:com|io)`,
        ['minimax.com', 'minimax.io', 'minimaxi.com', 'minimaxi.io'].map((host) => [['^', 'api.' + host]])],
    [String.raw`https://[^/]+\.modal\.(?:run|direct)(?:/|$)`, [[['*', '.modal.run']], [['*', '.modal.direct']]]],
    [String.raw`https://(api\.)?openrouter\.ai`, [[['^', 'openrouter.ai']], [['^', 'api.openrouter.ai']]]],
]);

function hosts(pattern) {
    if (HOSTS.has(pattern)) return HOSTS.get(pattern);
    const literal = /^https:\/\/((?:[a-z0-9/-]|\\\.)+)(?:\(\?:\/\|\$\))?$/.exec(pattern);
    if (!literal) fail(`api_pattern '${pattern}' has an unknown shape`);
    return [[['^', literal[1].replaceAll('\\.', '.')]]];
}

// ---- prices ----

// What a span's usage can be priced with. The rest (hours, pages, searches, video, citations) is not
// among the kinds of tokens that are counted, and is left out knowingly.
const RATES = {
    input_mtok: 'input', output_mtok: 'output', cache_read_mtok: 'cache_read', cache_write_mtok: 'cache_write',
    cache_write_1h_mtok: 'cache_write_1h', input_audio_mtok: 'audio_input', output_audio_mtok: 'audio_output',
    cache_audio_read_mtok: 'audio_cache_read', input_image_mtok: 'image', output_image_mtok: 'image_output',
    output_reasoning_mtok: 'reasoning', requests_kcount: 'request',
};
const LEFT_OUT = new Set(['web_searches_kcount', 'storage_searches_kcount', 'input_video_mtok', 'output_video_mtok',
    'audio_hours', 'input_audio_hours', 'input_document_kpages', 'input_annotated_document_kpages',
    'cache_image_read_mtok', 'output_citation_mtok', 'input_text_messages_kcount']);

// USD per million tokens; the list has float noise and thirds, six decimals are exact in pico-USD.
function decimal(value) {
    if (!Number.isFinite(value) || value < 0 || value > 1e6) fail(`price ${value}`);
    const text = value.toFixed(6);
    if (Math.abs(Number(text) - value) > 5e-7) fail(`price ${value} does not round to ${text}`);
    return text.replace(/\.?0+$/, '');
}

function priceLines(prices, when) {
    const free = Object.keys(prices).length === 0;
    const base = [];
    const tier = [];
    const starts = new Set();
    for (const [key, value] of Object.entries(prices)) {
        if (LEFT_OUT.has(key)) continue;
        const name = RATES[key];
        if (!name) fail(`unknown price '${key}'`);
        // Per request: USD for one; the list has it for a thousand.
        const scale = name === 'request' ? 1e-3 : 1;
        if (typeof value === 'number') {
            base.push(`${name}=${decimal(value * scale)}`);
            tier.push(`${name}=${decimal(value * scale)}`);
            continue;
        }
        if (value.tiers.length !== 1) fail(`${value.tiers.length} tiers`);
        base.push(`${name}=${decimal(value.base)}`);
        tier.push(`${name}=${decimal(value.tiers[0].price)}`);
        starts.add(value.tiers[0].start);
    }
    if (starts.size > 1) fail(`one price with tiers at ${[...starts]}`);
    const lines = [['price', ...when, ...(free ? ['free'] : base)].join('\t')];
    for (const start of starts) lines.push(['above', start, ...tier].join('\t'));
    return lines;
}

function when(constraint) {
    if (!constraint) return [];
    if (constraint.type === 'start_date') return [`from=${constraint.start_date}`];
    if (constraint.type !== 'time_of_date') fail(`constraint ${JSON.stringify(constraint)}`);
    const minutes = [constraint.start_time, constraint.end_time].map((time) => {
        const found = /^(\d\d:\d\d):00Z$/.exec(time);
        if (!found) fail(`time of day '${time}'`);
        return found[1];
    });
    return [`daily=${minutes.join('-')}`];
}

function modelLines(model) {
    const lines = [`model\t${clean(model.id)}`, ...ruleLines('is', model.match)];
    const entries = Array.isArray(model.prices) ? model.prices : [{ prices: model.prices }];
    entries.forEach((entry, i) => {
        if (i === 0 && entry.constraint) fail(`the first price of ${model.id} has a condition`);
        lines.push(...priceLines(entry.prices, when(entry.constraint)));
    });
    return lines;
}

const list = await load();
const out = [
    '# Prices of model calls: facts from the npm package @pydantic/genai-prices, (c) Pydantic Services Inc.,',
    '# MIT licence (LICENSES/genai-prices.txt). Made by src/ledger/convert.mjs; corrections belong into',
    '# src/ledger/overlay.txt. One fact a line, words apart by tabs. Rates are USD per million tokens (request: USD',
    '# for one call); price and above lines belong to the model before them, is lines give its names in lower case:',
    '# = whole, ^ start, $ end, * anywhere, ~ and ~^ with # for a digit, ! not.',
    `list\tgenai-prices ${about.version}\t${published}`,
];
let models = 0;
for (const provider of list) {
    out.push(`provider\t${clean(provider.id)}`);
    if (provider.provider_match) out.push(...ruleLines('named', provider.provider_match));
    if (provider.model_match) out.push(...ruleLines('makes', provider.model_match));
    for (const terms of hosts(provider.api_pattern)) out.push(['host', ...terms.flat()].join('\t'));
    if (provider.fallback_model_providers) out.push(['fallback', ...provider.fallback_model_providers].join('\t'));
    for (const model of provider.models) out.push(...modelLines(model));
    models += provider.models.length;
}
out.push(`end\t${list.length}\t${models}`);
process.stdout.write(out.join('\n') + '\n');
