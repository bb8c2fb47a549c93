// The pages work without this file; with it they use the same API as the app.
'use strict';

function cookie(name) {
  const found = document.cookie.split('; ').find((part) => part.startsWith(name + '='));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : '';
}

async function api(method, path, body, signal) {
  const response = await fetch('/api/v1/' + path, {
    method,
    signal,
    credentials: 'same-origin',
    headers: {'Content-Type': 'application/json', 'X-CSRFToken': cookie('csrftoken')},
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error ? answer.error.message : response.statusText);
  return answer;
}

function flash(kind, text) {
  let list = document.querySelector('.flash');
  if (!list) {
    list = document.createElement('ul');
    list.className = 'flash';
    document.querySelector('main').prepend(list);
  }
  const item = document.createElement('li');
  item.className = kind;
  item.textContent = text;
  list.append(item);
}

function addToCart() {
  const form = document.getElementById('add-to-cart');
  if (!form) return;
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    try {
      const cart = await api('POST', 'cart/items', {product_id: Number(form.product.value), quantity: Number(form.quantity.value)});
      document.getElementById('cart-count').textContent = cart.count;
      flash('success', 'It is in your cart.');
    } catch (error) {
      flash('error', error.message);
    }
  });
}

// An order page waits for the next state; the answer comes when there is one, or after 20 seconds. Who sends a form of the page
// is on the way to the next one: a reload would come between.
async function followOrder() {
  const state = document.getElementById('order-state');
  if (!state || ['delivered', 'cancelled', 'refunded'].includes(state.textContent)) return;
  const leaving = new AbortController();
  addEventListener('submit', () => leaving.abort());
  for (;;) {
    try {
      const answer = await api('GET', `orders/${state.dataset.order}/wait?since=${state.dataset.version}&timeout=20`, undefined, leaving.signal);
      if (answer.changed) return location.reload();
    } catch (error) {
      if (leaving.signal.aborted) return;
      await new Promise((again) => setTimeout(again, 5000));
    }
  }
}

function liveFeed() {
  const list = document.getElementById('live');
  if (!list || !window.EventSource) return;
  const source = new EventSource('/events/stream');
  const show = (event) => {
    const data = JSON.parse(event.data);
    const item = document.createElement('li');
    item.textContent = [data.at.slice(11, 19), data.kind, data.path, data.user].filter(Boolean).join(' ');
    list.prepend(item);
    while (list.children.length > 50) list.lastChild.remove();
  };
  for (const kind of ['page_view', 'product_view', 'search', 'signup', 'cart_add', 'order_placed', 'order_paid', 'order_failed',
                      'order_packed', 'order_shipped', 'order_delivered', 'order_cancelled', 'order_refunded', 'review', 'client_time']) {
    source.addEventListener(kind, show);
  }
}

// How long somebody looked at a product.
function timeOnPage() {
  const product = document.querySelector('[data-product]');
  if (!product || !navigator.sendBeacon) return;
  const started = Date.now();
  addEventListener('pagehide', () => {
    const event = {kind: 'time', path: location.pathname, product_id: Number(product.dataset.product), data: {ms: Date.now() - started}};
    navigator.sendBeacon('/api/v1/events', new Blob([JSON.stringify(event)], {type: 'application/json'}));
  });
}

addToCart();
followOrder();
liveFeed();
timeOnPage();
