import { Connection } from './connection.js';
import { Log } from './log.js';

/** How the functions end each line. A line without a text only says how many are online. */
const ONLINE = /\(===Online people:(\d+)===\)$/;
const states = {
  connecting: 'Connecting…',
  open: 'Connected',
  waiting: 'Reconnecting…',
  closed: 'Disconnected',
};

const find = (id) => document.getElementById(id);
const [state, online, form, text, send, reconnect] = [
  'state',
  'online',
  'form',
  'text',
  'send',
  'reconnect',
].map(find);
const log = new Log({ log: find('log'), empty: find('empty') });

const settings = await (await fetch('settings.json')).json();
const connection = new Connection(settings.webSocketUrl);

connection.addEventListener('state', ({ detail }) => {
  state.dataset.state = detail;
  state.textContent = states[detail];
  send.disabled = detail !== 'open';
  reconnect.hidden = detail !== 'waiting' && detail !== 'closed';
  // Unknown until the server says it.
  if (detail !== 'open') online.hidden = true;
});

connection.addEventListener('frame', ({ detail: frame }) => {
  // A gateway may join several messages in one frame, one per line.
  for (const line of frame.split('\n')) show(line);
});

connection.addEventListener('ended', () => log.notice('Connection closed.'));

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const message = text.value.trim();
  if (message === '' || !connection.send(message)) return;
  log.sent(message);
  text.value = '';
});

reconnect.addEventListener('click', () => {
  connection.connect();
  text.focus();
});

function show(line) {
  const [ending = '', count] = ONLINE.exec(line) ?? [];
  if (count !== undefined) {
    online.hidden = false;
    online.textContent = count === '1' ? '1 person online' : `${count} people online`;
  }
  const message = line.slice(0, line.length - ending.length);
  if (message.trim() !== '') log.received(message);
}

connection.connect();
