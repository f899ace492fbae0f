"""The simulated exchange's side of Binance spot's protocol: streams, WebSocket API, REST; pure."""
