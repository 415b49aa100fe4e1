<<<<<<<< HEAD:web/dist/assets/chunk-12-D3IsuaAT.js
import{t as e}from"./createFluentIcon-Ce_rAPpL.js";var t=e(`Info20Regular`,`20`,[`M10.5 8.91a.5.5 0 0 0-1 .09v4.6a.5.5 0 0 0 1-.1V8.91m.3-2.16a.75.75 0 1 0-1.5 0 .75.75 0 0 0 1.5 0M18 10a8 8 0 1 0-16 0 8 8 0 0 0 16 0M3 10a7 7 0 1 1 14 0 7 7 0 0 1-14 0`]);export{t};
========
import{t as e}from"./createFluentIcon-C37XKA6x.js";var t=e(`Info20Regular`,`20`,[`M10.5 8.91a.5.5 0 0 0-1 .09v4.6a.5.5 0 0 0 1-.1V8.91m.3-2.16a.75.75 0 1 0-1.5 0 .75.75 0 0 0 1.5 0M18 10a8 8 0 1 0-16 0 8 8 0 0 0 16 0M3 10a7 7 0 1 1 14 0 7 7 0 0 1-14 0`]);export{t};
>>>>>>>> 30d4cf5 (service, rest, store, web: passkeys sign in alone, are a second factor beside codes, and prove who is there):web/dist/assets/chunk-12-B2T-RMHb.js
