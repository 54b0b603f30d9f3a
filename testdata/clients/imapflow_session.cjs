#!/usr/bin/env node
// A session with ImapFlow: CONDSTORE, QRESYNC, IDLE, append, download, mailboxes: imapflow_session.cjs
//
// Prints {"checked": [names of the steps]}; a step that fails ends the script.
'use strict';

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const fs = require('node:fs');
const { ImapFlow } = require('imapflow');

const env = process.env;
const checked = [];
const NAMES = ['日本語', 'العربية', '📬 post', 'Tom & Jerry', 'with "quotes"', 'nested/Größe/深い', 'spaces  in'];
const EVENT_MILLISECONDS_MAX = 30_000;

function settings(more) {
  return {
    host: env.MANSIO_HOST,
    port: Number(env.MANSIO_IMAPS_PORT),
    secure: true,
    tls: { ca: fs.readFileSync(env.MANSIO_CA) },
    auth: { user: env.MANSIO_USER, pass: env.MANSIO_PASSWORD },
    logger: false,
    ...more,
  };
}

async function connect(more) {
  const client = new ImapFlow(settings(more));
  client.on('error', (error) => { throw error; });
  await client.connect();
  return client;
}

/** The next event of this name that fits; fails when none comes in time. */
function event(client, name, fits = () => true) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no event ${name}`)), EVENT_MILLISECONDS_MAX);
    const listen = (data) => {
      if (fits(data)) {
        clearTimeout(timer);
        client.off(name, listen);
        resolve(data);
      }
    };
    client.on(name, listen);
  });
}

function letter(subject, body) {
  return Buffer.from(`From: Ann <ann@example.org>\r\nTo: Bob <bob@example.net>\r\nSubject: ${subject}\r\n` +
    `Message-ID: <${subject}@example.org>\r\n\r\n${body}\r\n`);
}

async function collect(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function refusesWrongPassword() {
  const client = new ImapFlow(settings({ auth: { user: env.MANSIO_USER, pass: 'wrong' } }));
  client.on('error', () => {});
  await assert.rejects(client.connect(), (error) => error.authenticationFailed === true);
  checked.push('a wrong password is refused');
}

async function mailboxes(client) {
  for (const name of NAMES) {
    const made = await client.mailboxCreate(name.split('/'));
    assert.equal(made.path, name);
    assert.equal(made.created, true);
  }
  const listed = (await client.list()).map((mailbox) => mailbox.path);
  for (const name of [...NAMES, 'INBOX', 'nested']) assert.ok(listed.includes(name), `${name} in ${listed}`);
  await client.mailboxRename('nested/Größe', 'nested/größer');
  const renamed = (await client.list()).map((mailbox) => mailbox.path);
  assert.ok(renamed.includes('nested/größer/深い') && !renamed.includes('nested/Größe/深い'));
  await client.append('日本語', letter('名前', 'こんにちは'), ['\\Seen']);
  const status = await client.status('日本語', { messages: true, unseen: true, uidNext: true, highestModseq: true });
  assert.equal(status.messages, 1);
  assert.equal(status.unseen, 0);
  assert.equal(status.uidNext, 2);
  assert.equal(typeof status.highestModseq, 'bigint');
  await client.mailboxDelete('nested/größer/深い');
  assert.equal(await client.status('nested/größer/深い', { messages: true }).catch(() => 'gone') || 'gone', 'gone');
  checked.push('mailboxes in every script');
}

async function appendAndDownload(client) {
  const big = Buffer.concat(Array.from({ length: 20_000 }, (_, n) => crypto.createHash('sha512').update(`${n}`).digest()));
  const lines = big.toString('base64').match(/.{1,76}/g).join('\r\n');
  const message = Buffer.from('Subject: big\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n' +
    '--x\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n' +
    `Gr=FC=DFe\r\n--x\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n` +
    `Content-Disposition: attachment; filename*=utf-8''%E6%97%A5.bin\r\n\r\n${lines}\r\n--x--\r\n`);
  const when = new Date('2014-03-02T01:02:03Z');
  const appended = await client.append('INBOX', message, ['\\Flagged', 'Label'], when);
  assert.equal(appended.uid, 1);
  const lock = await client.getMailboxLock('INBOX');
  try {
    const whole = await client.download('1', undefined, { uid: true });
    assert.ok(message.equals(await collect(whole.content)));
    const text = await client.download('1', '1', { uid: true });
    assert.equal((await collect(text.content)).toString().trim(), 'Grüße');
    const attachment = await client.download('1', '2', { uid: true });
    assert.equal(attachment.meta.filename, '日.bin');
    assert.ok(big.equals(await collect(attachment.content)));
    const one = await client.fetchOne('1', { flags: true, internalDate: true, bodyStructure: true, envelope: true,
      size: true });
    assert.equal(one.internalDate.getTime(), when.getTime());
    assert.ok(one.flags.has('\\Flagged') && one.flags.has('Label'));
    assert.equal(one.size, message.length);
    assert.equal(one.bodyStructure.childNodes.length, 2);
    assert.equal(one.bodyStructure.childNodes[1].dispositionParameters.filename, '日.bin');
    assert.equal(one.envelope.subject, 'big');
  } finally {
    lock.release();
  }
  checked.push('append and download');
}

async function flagsSearchMove(client) {
  for (const name of ['a', 'b', 'c']) await client.append('INBOX', letter(name, `word-${name}`));
  const lock = await client.getMailboxLock('INBOX');
  try {
    assert.deepEqual(await client.search({ body: 'word-b' }, { uid: true }), [3]);
    assert.deepEqual(await client.search({ or: [{ subject: 'a' }, { header: { 'message-id': '<c@example.org>' } }],
      seen: false }, { uid: true }), [2, 4]);
    await client.messageFlagsAdd('2:3', ['\\Seen', '$Junk'], { uid: true });
    await client.messageFlagsRemove('3', ['$Junk'], { uid: true });
    assert.deepEqual(await client.search({ keyword: '$Junk' }, { uid: true }), [2]);
    assert.deepEqual(await client.search({ seen: true }, { uid: true }), [2, 3]);
    const copied = await client.messageCopy('2:3', '日本語', { uid: true });
    assert.deepEqual([...copied.uidMap], [[2, 2], [3, 3]]);
    const moved = await client.messageMove('4', '日本語', { uid: true });
    assert.deepEqual([...moved.uidMap], [[4, 4]]);
    assert.equal(await client.messageDelete('3', { uid: true }), true);
    assert.deepEqual(await client.search({ all: true }, { uid: true }), [1, 2]);
  } finally {
    lock.release();
  }
  const status = await client.status('日本語', { messages: true, unseen: true });
  assert.deepEqual([status.messages, status.unseen], [4, 1]);
  checked.push('flags, search, copy, move');
}

async function idle(client) {
  const other = await connect();
  await client.mailboxOpen('INBOX');
  const idling = client.idle();
  const arrival = event(client, 'exists', (data) => data.count === 3);
  await other.append('INBOX', letter('idle', 'wake up'));
  await arrival;
  await other.mailboxOpen('INBOX');
  const flagged = event(client, 'flags', (data) => data.flags.has('\\Answered'));
  await other.messageFlagsAdd('2', ['\\Answered'], { uid: true });
  assert.equal((await flagged).seq, 2);
  const expunged = event(client, 'expunge');
  await other.messageDelete('1', { uid: true });
  assert.equal((await expunged).seq, 1);
  await client.noop();
  await idling;
  await client.mailboxClose();
  await other.logout();
  checked.push('idle');
}

async function condstoreAndQresync(client) {
  const other = await connect();
  const before = await client.mailboxOpen('日本語');
  const { uidValidity, highestModseq } = before;
  await client.mailboxClose();
  await other.mailboxOpen('日本語');
  await other.messageFlagsAdd('2', ['$Later'], { uid: true });
  await other.messageDelete('3', { uid: true });
  await other.append('日本語', letter('later', 'later'));
  await other.logout();

  const offline = await connect({ qresync: true });
  const vanished = [];
  const changed = [];
  offline.on('expunge', (data) => vanished.push(data));
  offline.on('flags', (data) => changed.push(data));
  const opened = await offline.mailboxOpen('日本語', { changedSince: highestModseq, uidValidity });
  assert.equal(offline.enabled.has('QRESYNC'), true);
  assert.ok(opened.highestModseq > highestModseq);
  assert.deepEqual(vanished.map((data) => [data.uid, data.vanished, data.earlier]), [[3, true, true]]);
  assert.ok(changed.some((data) => data.uid === 2 && data.flags.has('$Later')));
  const since = [];
  for await (const message of offline.fetch('1:*', { uid: true, flags: true }, { uid: true, changedSince: highestModseq })) {
    since.push(message.uid);
  }
  assert.deepEqual(since, [2, 5]);
  const modseq = (await offline.fetchOne('5', { uid: true, flags: true }, { uid: true })).modseq;
  assert.equal(await offline.messageFlagsAdd('5', ['\\Seen'], { uid: true, unchangedSince: modseq }), true);
  await offline.messageFlagsAdd('5', ['$Stale'], { uid: true, unchangedSince: modseq }).catch(() => {});
  const flags = (await offline.fetchOne('5', { flags: true }, { uid: true })).flags;
  assert.ok(flags.has('\\Seen') && !flags.has('$Stale'), 'a stale change is refused');
  await offline.logout();
  checked.push('condstore and qresync');
}

async function main() {
  await refusesWrongPassword();
  const client = await connect();
  for (const part of [mailboxes, appendAndDownload, flagsSearchMove, idle, condstoreAndQresync]) await part(client);
  await client.logout();
  process.stdout.write(JSON.stringify({ checked }));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
