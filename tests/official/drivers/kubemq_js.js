// The official JavaScript SDK, stepped by a test; the lines are those that steps.py describes.
'use strict';

const fs = require('node:fs');
const readline = require('node:readline');
const kubemq = require('kubemq-js');

const STARTS = { new: 1, first: 2, last: 3, sequence: 4, time: 5, ago: 6 };
const POLICY = {
  expiration: 'expirationSeconds',
  delay: 'delaySeconds',
  max_receive_count: 'maxReceiveCount',
  dead_letter: 'maxReceiveQueue',
};

const write = (line) =>
  process.stdout.write(
    JSON.stringify(line, (_, value) =>
      value && value.type === 'Buffer' ? { base64: Buffer.from(value.data).toString('base64') } : value,
    ) + '\n',
  );

const read = (line) =>
  JSON.parse(line, (_, value) =>
    value && typeof value.base64 === 'string' ? Buffer.from(value.base64, 'base64') : value,
  );

const tell = (subscription, item) => write({ subscription, item });

class Client {
  constructor({ address, token, client_id, tls }) {
    const options = { address, clientId: client_id, authToken: token === null ? undefined : token };
    if (tls) options.credentials = { cert: fs.readFileSync(tls.cert), key: fs.readFileSync(tls.key) };
    this.queues = new kubemq.QueuesClient(options);
    this.events = new kubemq.EventsClient(options);
    this.stored = new kubemq.EventsStoreClient(options);
    this.commands = new kubemq.CommandsClient(options);
    this.queries = new kubemq.QueriesClient(options);
    this.subscriptions = new Map();
    this.held = new Map();
  }

  async ping() {
    const { host, version } = await this.queues.ping();
    return { host, version };
  }

  async send_queue(message) {
    return sent(await this.queues.send(queueMessage(message)));
  }

  async send_batch({ messages }) {
    return (await this.queues.batch(messages.map(queueMessage))).map(sent);
  }

  async receive({ channel, count, wait }) {
    return received(
      await this.queues.pull({ channel, maxNumberOfMessages: count, waitTimeoutSeconds: wait }),
    );
  }

  async peek({ channel, count, wait }) {
    return received(
      await this.queues.peek({ channel, maxNumberOfMessages: count, waitTimeoutSeconds: wait }),
    );
  }

  async ack_all({ channel, wait }) {
    const answer = await this.queues.ackAll({ channel, waitTimeoutSeconds: wait });
    refuse(answer);
    return answer.affectedMessages;
  }

  // `closed` settles when the server has ended the stream: the SDK shows no other sign of an acknowledgement.
  hold({ channel, wait, visibility = 30 }) {
    return new Promise((resolve, reject) => {
      const held = this.held.size + 1;
      let refused = null;
      const closed = this.queues.transaction(
        { channel, waitTimeoutSeconds: wait, visibilitySeconds: visibility },
        (error, transaction) => {
          if (error) {
            refused = error;
            reject(error);
          } else if (transaction) {
            const end = closed.then(() => {
              if (refused) throw refused;
            });
            end.catch(() => {});
            this.held.set(held, { transaction, end });
            resolve({ held, messages: [queued(transaction.message)] });
          }
        },
      );
      closed.catch(reject);
    });
  }

  async settle({ held, how, to, visibility, message }) {
    const { transaction, end } = this.held.get(held);
    if (how === 'extend') return transaction.extendVisibility(visibility);
    const ways = {
      ack: () => transaction.ack(),
      reject: () => transaction.reject(),
      resend: () => transaction.resendToChannel(to),
      modify: () => transaction.resendNewMessage(queueMessage(message)),
    };
    await ways[how]();
    return end;
  }

  async send_event(message) {
    await this.events.send(plain(message));
  }

  async send_stored(message) {
    return this.stored.send(plain(message));
  }

  async stream_events({ store, messages }) {
    const results = [];
    let stream;
    await new Promise((resolve, reject) => {
      const client = store ? this.stored : this.events;
      client
        .stream((error, result) => {
          if (error) reject(error);
          else if (result && results.push(result) === messages.length) resolve();
        })
        .then((opened) => {
          stream = opened;
          messages.forEach((message) => stream.write(plain(message)));
        });
    });
    stream.end();
    return results;
  }

  async subscribe_events({ subscription, channel, group, client_id }) {
    await this.listen(this.events, subscription, { channel, group, clientId: client_id }, pushed);
  }

  async subscribe_stored({ subscription, channel, start, value, group, client_id }) {
    const request = {
      channel,
      group,
      clientId: client_id,
      requestType: STARTS[start],
      requestTypeValue: value,
    };
    await this.listen(this.stored, subscription, request, (event) => ({
      ...pushed(event),
      sequence: event.sequence,
    }));
  }

  async listen(client, subscription, request, show) {
    const opened = await client.subscribe(request, (error, message) =>
      tell(subscription, error ? { error: String(error) } : show(message)),
    );
    this.subscriptions.set(subscription, opened);
  }

  async unsubscribe({ subscription }) {
    this.subscriptions.get(subscription).unsubscribe();
  }

  async ask({ kind, timeout, cache_key, cache_ttl, ...message }) {
    const answer = await this[kind].send({
      ...plain(message),
      timeout: timeout * 1000,
      cacheKey: cache_key,
      cacheTTL: cache_ttl,
    });
    return {
      request_id: answer.id,
      client_id: answer.clientId,
      executed: answer.executed,
      error: answer.error,
      metadata: answer.metadata,
      body: answer.body && Buffer.from(answer.body),
      tags: answer.tags && tags(answer.tags),
    };
  }

  // Gives every request the same answer, and tells the test of it.
  async respond({ subscription, kind, channel, group, reply }) {
    const client = this[kind];
    const opened = await client.subscribe({ channel, group }, (error, request) => {
      if (error) return tell(subscription, { error: String(error) });
      tell(subscription, pushed(request));
      return client
        .response({ error: '', ...reply, id: request.id, replyChannel: request.replyChannel })
        .catch((refused) => tell(subscription, { error: String(refused) }));
    });
    this.subscriptions.set(subscription, opened);
  }
}

function plain({ id, channel, metadata, body, tags: given }) {
  return { id, channel, metadata, body, tags: given };
}

function queueMessage(message) {
  const policy = {};
  for (const [name, theirs] of Object.entries(POLICY)) policy[theirs] = message[name];
  return { ...plain(message), policy };
}

function sent({ id, error, expirationAt, delayedTo }) {
  return { id, error, expiration_at: expirationAt / 1e9, delayed_to: delayedTo / 1e9 };
}

function refuse(answer) {
  if (answer.isError) throw new Error(answer.error);
}

function received(answer) {
  refuse(answer);
  return answer.messages.map(queued);
}

function tags(map) {
  return Object.fromEntries(map.toArray());
}

function pushed(message) {
  return {
    id: message.id,
    channel: message.channel,
    metadata: message.metadata,
    body: Buffer.from(message.body),
    tags: tags(message.tags),
  };
}

function queued(message) {
  return {
    ...pushed(message),
    client_id: message.clientId,
    sequence: message.attributes.sequence,
    receive_count: message.attributes.receiveCount,
    rerouted_from: message.attributes.reRoutedFromQueue,
  };
}

let client;
const lines = readline.createInterface({ input: process.stdin });
lines.on('line', async (line) => {
  const request = read(line);
  if (!client) {
    client = new Client(request);
    return;
  }
  try {
    const result = await client[request.call](request.with);
    write({ id: request.id, result: result === undefined ? null : result });
  } catch (error) {
    write({ id: request.id, error: `${error.name}: ${error.message}` });
  }
});
lines.on('close', () => process.exit(0));
