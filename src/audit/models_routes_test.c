/* SPDX-License-Identifier: Apache-2.0
 *
 * Routes of every framework, whole. */
#include "audit/models_routes.c"

#include "audit/models_sample.h"

#include "unit.h"

/* "methods path name file:unit", a line each. */
static Str told(Arena *a, const SampleFile *files)
{
	AUTO(sample_finip) Audit audit = { 0 };
	const Models *m = sample(a, files, &audit);
	Str all = S("");

	for (uint32_t i = 0; i < m->route_count; i++) {
		const AppRoute *r = &m->routes[i];
		const AuditFile *file =
			r->target.file == MODEL_NONE ? NULL : &audit.project.files[r->target.file];

		all = str_fmt(a, "%.*s%.*s %.*s %.*s %.*s:%.*s\n", STR_ARG(all),
		              STR_ARG(r->methods), STR_ARG(r->path), STR_ARG(r->name),
		              STR_ARG(file ? file->path : S("")),
		              STR_ARG(file ? join_unit_name(a, file, r->target.unit) : S("")));
	}
	return all;
}

TEST(routes_of_django_are_followed_through_includes)
{
	static const SampleFile files[] = {
		{ "shop/api.py",
		  "from django.urls import path\nfrom . import views\nlate = [path('late', views.show)]\n" },
		{ "shop/settings.py", "ROOT_URLCONF = 'shop.urls'\n" },
		{ "shop/urls.py",
		  "from django.urls import include, path, re_path\nfrom rest_framework.routers import DefaultRouter\n"
		  "from shop.views import Things, show\nfrom shop import api\n"
		  "router = DefaultRouter()\n"
		  "router.register('things', Things)\n"
		  "urlpatterns = [\n"
		  "    path('', show, name='home'),\n"
		  "    re_path(r'^old/(\\d+)$', 'shop.views.show'),\n"
		  "    path('in/', include([path('a/', show), path('b/', include('shop.web.urls'))])),\n"
		  "    path('rest/', include(router.urls)),\n"
		  "    path('late/', include(api.late)),\n"
		  "    path(computed, login_required(show)),\n"
		  "]\n"
		  "urlpatterns += [path('more', login_required(Things.as_view()))]\n"
		  "if settings.DEBUG:\n    urlpatterns.append(path('debug', show))\n"
		  "    urlpatterns.extend([path('debug2', cache_page(9)(show))])\n" },
		{ "shop/views.py", "from rest_framework.decorators import action\n"
		                   "def show(request): pass\n"
		                   "class Things(ViewSet):\n"
		                   "    @action(detail=True, methods=['post'])\n"
		                   "    def pay(self, request): pass\n" },
		{ "shop/web/urls.py",
		  "from django.urls import path\nfrom shop.views import show\napp_name = 'web'\n"
		  "urlpatterns = [path('<int:pk>/', show, name='one')]\n" },
		{ 0 }
	};

	CHECK_STR(told(a, files), S(" / home shop/views.py:show\n"
	                            " /^old/(\\d+)$  shop/views.py:show\n"
	                            " /rest/things/  shop/views.py:Things\n"
	                            " /rest/things/<pk>/  shop/views.py:Things\n"
	                            "POST /rest/things/<pk>/pay/  shop/views.py:Things.pay\n"
	                            " /  shop/views.py:show\n"
	                            " /more  shop/views.py:Things\n"
	                            " /debug  shop/views.py:show\n"
	                            " /debug2  shop/views.py:show\n"
	                            " /late/late  shop/views.py:show\n"
	                            " /in/a/  shop/views.py:show\n"
	                            " /in/b/<int:pk>/ web:one shop/views.py:show\n"));
}

TEST(routes_of_flask_and_fastapi_have_their_prefixes)
{
	static const SampleFile files[] = {
		{ "app/blue.py",
		  "from flask import Blueprint\nbp = Blueprint('blue', __name__, url_prefix='/own')\n"
		  "@bp.route('/x', methods=['GET', 'POST'])\ndef x(): pass\n" },
		{ "app/fast.py", "from fastapi import APIRouter\nrouter = APIRouter(prefix='/r')\n"
		                 "@router.post('/y')\nasync def y(): pass\n" },
		{ "app/main.py",
		  "from fastapi import FastAPI\nfrom flask import Flask\nfrom .blue import bp\nfrom . import fast\n"
		  "app = Flask(__name__)\nother = FastAPI()\n"
		  "app.register_blueprint(bp, url_prefix='/blue')\n"
		  "other.include_router(fast.router, prefix='/v1')\n"
		  "@app.route('/')\ndef home(): pass\n"
		  "app.add_url_rule('/z', view_func=home)\n" },
		{ "app/plain.py",
		  "class Cache:\n    pass\ncache = Cache()\n@cache.get('/no')\ndef no(): pass\n" },
		{ "app/server.py",
		  "from aiohttp import web\nasync def h(request): pass\ndef make():\n    app = web.Application()\n"
		  "    app.router.add_get('/a', h)\n    app.add_routes([web.post('/b', h)])\n" },
		{ 0 }
	};

	CHECK_STR(told(a, files), S("GET,POST /blue/x  app/blue.py:x\n"
	                            "POST /v1/r/y  app/fast.py:y\n"
	                            "GET /  app/main.py:home\n"
	                            "GET /z  app/main.py:home\n"
	                            "GET /a  app/server.py:h\n"
	                            "POST /b  app/server.py:h\n"));
}

TEST(routes_of_what_is_registered_twice_are_there_twice)
{
	static const SampleFile files[] = {
		{ "app/blue.py", "from flask import Blueprint\nbp = Blueprint('blue', __name__)\n"
		                 "@bp.route('/x')\ndef x(): pass\n" },
		{ "app/fast.py",
		  "from fastapi import APIRouter, FastAPI\nrouter = APIRouter()\nboth = APIRouter(prefix='/both')\n"
		  "both.include_router(router, prefix='/r')\napi = FastAPI()\n"
		  "api.include_router(both, prefix='/v1')\napi.include_router(both, prefix='/v2')\n"
		  "api.include_router(router)\n"
		  "@router.get('/y')\ndef y(): pass\n" },
		{ "app/main.py", "from flask import Flask\nfrom .blue import bp\n"
		                 "def create_app():\n    app = Flask(__name__)\n"
		                 "    app.register_blueprint(bp, url_prefix='/v1')\n"
		                 "    app.register_blueprint(bp, url_prefix='/v2', name='v2')\n" },
		{ "app/worker.py",
		  "from flask import Flask\nfrom .blue import bp\n"
		  "app = Flask(__name__)\napp.register_blueprint(bp, url_prefix='/v1')\n" },
		{ "tests/test_blue.py",
		  "from flask import Flask\nfrom app.blue import bp\n"
		  "app = Flask(__name__)\napp.register_blueprint(bp, url_prefix='/t')\n" },
		{ 0 }
	};

	CHECK_STR(told(a, files), S("GET /v1/x  app/blue.py:x\n"
	                            "GET /v2/x  app/blue.py:x\n"
	                            "GET /y  app/fast.py:y\n"
	                            "GET /v1/both/r/y  app/fast.py:y\n"
	                            "GET /v2/both/r/y  app/fast.py:y\n"));
}

TEST(routes_that_include_each_other_end)
{
	static const SampleFile files[] = {
		{ "a/urls.py",
		  "from django.urls import include, path\nurlpatterns = [path('b/', include('b.urls')), path('', v)]\n" },
		{ "b/urls.py",
		  "from django.urls import include, path\nurlpatterns = [path('a/', include('a.urls')), path('c/', include('b.urls'))]\n" },
		{ 0 }
	};

	CHECK(told(a, files).len > 0);
}
