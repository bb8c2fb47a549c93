/* SPDX-License-Identifier: Apache-2.0
 *
 * The script that a page includes, `/js/script.js`: below two kilobytes, no cookie, nothing kept in the browser.
 *
 *   <script defer data-domain="shop.example" src="https://stats.shop.example/js/script.js"></script>
 *   banyan("paid", { props: { plan: "pro" }, revenue: { currency: "EUR", amount: 12.5 } })
 *
 * It tells of the page, and again where a program in the page goes to another path. What is called before it has come waits in banyan.q.
 * It says nothing on this machine (unless data-local stands there) and nothing for who has set localStorage.banyan_ignore to "true"; it
 * sends text/plain, so that the browser need not ask the server first, and keepalive, so that the last event of a page arrives. */
#include "analytics/analytics_int.h"

#include "base/str.h"

static const char script[] =
	"!function(d,w,l){"
	"var s=d.currentScript,api=s.getAttribute('data-api')||new URL(s.src).origin+'/api/event',"
	"site=s.getAttribute('data-domain')||l.hostname,"
	"here=/^(localhost|127\\.|\\[::1\\])/.test(l.hostname)&&!s.hasAttribute('data-local'),"
	"waits=w.banyan&&w.banyan.q||[],seen;"
	"function ignored(){try{return w.localStorage.banyan_ignore==='true'}catch(e){return false}}"
	"function send(name,more){"
	"more=more||{};"
	"var done=more.callback||function(){};"
	"if(here||l.protocol==='file:'||ignored())return done();"
	"fetch(api,{method:'POST',keepalive:true,credentials:'omit',headers:{'Content-Type':'text/plain'},"
	"body:JSON.stringify({n:name,u:more.url||l.href,d:site,r:d.referrer||undefined,p:more.props,"
	"$:more.revenue})}).then(function(a){done({status:a.status})},function(){done()})}"
	"function page(){if(seen!==l.pathname){seen=l.pathname;send('pageview')}}"
	"w.banyan=send;"
	"waits.forEach(function(one){send.apply(null,one)});"
	"var push=w.history&&w.history.pushState;"
	"if(push){w.history.pushState=function(){var r=push.apply(this,arguments);page();return r};"
	"w.addEventListener('popstate',page)}"
	"if(d.visibilityState==='prerender')d.addEventListener('visibilitychange',function(){"
	"if(!seen&&d.visibilityState==='visible')page()});"
	"else page()"
	"}(document,window,location);\n";
_Static_assert(sizeof(script) <= 2000, "the script is to stay below two kilobytes");

static Err *script_get(ServiceCall *c)
{
	service_say_header(c, "Cache-Control", S("public, max-age=86400"));
	service_say_header(c, "Cross-Origin-Resource-Policy", S("cross-origin"));
	service_say(c, 200, S("text/javascript; charset=utf-8"), str_of(script));
	return NULL;
}

ServiceRoutes analytics_script_routes(void)
{
	static const ServiceRoute rows[] = {
		{ "GET", "/js/script.js", script_get, .status = 200, .tag = "events",
		  .help = "the script that a page includes" },
	};

	return (ServiceRoutes)SERVICE_ROUTES(rows);
}
