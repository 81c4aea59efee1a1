package persona

import (
	"fmt"
	"strings"
	"time"

	"honeyguide/internal/deception/machine"
	"honeyguide/internal/deception/vfs"
)

// application makes up what the server is for.
func application(seed []byte, boss User) App {
	r := machine.Rand(seed, "app")
	name := machine.Pick(r, "billing", "orders", "portal", "crm", "intranet", "booking", "tickets", "claims", "members", "invoice")
	brand := machine.Pick(r, "norden", "alpina", "meridian", "hansa", "lumen", "vento", "kestrel", "delta", "orion", "solera", "tessera", "avalon")
	a := App{Name: name, Dir: "/var/www/" + brand + "-" + name, Database: name + "_prod", DatabaseUser: machine.Pick(r, name, name+"_app", brand), User: boss.Name}
	a.Env = a.Dir + "/.env"
	return a
}

// application puts the web application in place. Its .env is left out: that is
// where bait goes; without bait the example file explains its absence.
func (b *builder) application(boss User) {
	a, m := b.h.App, b.h.Machine
	b.at = m.Boot.Add(-40 * 24 * time.Hour)
	dir := func(p string, mode uint32) { b.dir(a.Dir+p, mode, 33, 33) }
	file := func(p, text string) { b.own(a.Dir+"/"+p, 33, 33, 0o644, text) }
	dir("", 0o755)
	for _, d := range strings.Fields("app app/Http app/Http/Controllers app/Models bootstrap bootstrap/cache config database database/migrations public resources resources/views routes storage storage/app storage/logs vendor") {
		dir("/"+d, 0o755)
	}
	file("artisan", "#!/usr/bin/env php\n<?php\n\ndefine('LARAVEL_START', microtime(true));\n\nrequire __DIR__.'/vendor/autoload.php';\n\n$app = require_once __DIR__.'/bootstrap/app.php';\n\n$status = $app->make(Illuminate\\Contracts\\Console\\Kernel::class)->handle(\n    $input = new Symfony\\Component\\Console\\Input\\ArgvInput,\n    new Symfony\\Component\\Console\\Output\\ConsoleOutput\n);\n\nexit($status);\n")
	file("public/index.php", "<?php\n\nuse Illuminate\\Http\\Request;\n\nrequire __DIR__.'/../vendor/autoload.php';\n\n(require_once __DIR__.'/../bootstrap/app.php')->handleRequest(Request::capture());\n")
	file("public/robots.txt", "User-agent: *\nDisallow: /\n")
	file("composer.json", fmt.Sprintf("{\n    \"name\": \"intern/%s\",\n    \"type\": \"project\",\n    \"require\": {\n        \"php\": \"^8.2\",\n        \"laravel/framework\": \"^11.0\",\n        \"guzzlehttp/guzzle\": \"^7.8\"\n    }\n}\n", a.Name))
	file("config/database.php", "<?php\n\nreturn [\n    'default' => env('DB_CONNECTION', 'mysql'),\n    'connections' => [\n        'mysql' => [\n            'driver' => 'mysql',\n            'host' => env('DB_HOST', '127.0.0.1'),\n            'port' => env('DB_PORT', '3306'),\n            'database' => env('DB_DATABASE', '"+a.Database+"'),\n            'username' => env('DB_USERNAME', '"+a.DatabaseUser+"'),\n            'password' => env('DB_PASSWORD', ''),\n        ],\n    ],\n];\n")
	file(".env.example", fmt.Sprintf("APP_NAME=%s\nAPP_ENV=production\nAPP_KEY=\nAPP_DEBUG=false\n\nDB_CONNECTION=mysql\nDB_HOST=127.0.0.1\nDB_PORT=3306\nDB_DATABASE=%s\nDB_USERNAME=%s\nDB_PASSWORD=\n\nMAIL_HOST=\nMAIL_USERNAME=\nMAIL_PASSWORD=\n", a.Name, a.Database, a.DatabaseUser))
	file("routes/web.php", "<?php\n\nuse App\\Http\\Controllers\\ReportController;\nuse Illuminate\\Support\\Facades\\Route;\n\nRoute::middleware('auth')->group(function () {\n    Route::get('/', [ReportController::class, 'index']);\n    Route::get('/export/{month}', [ReportController::class, 'export']);\n});\n")
	file("app/Http/Controllers/ReportController.php", "<?php\n\nnamespace App\\Http\\Controllers;\n\nuse App\\Models\\Report;\n\nclass ReportController extends Controller\n{\n    public function index()\n    {\n        return view('reports', ['reports' => Report::latest()->paginate(50)]);\n    }\n}\n")
	file("app/Models/Report.php", "<?php\n\nnamespace App\\Models;\n\nuse Illuminate\\Database\\Eloquent\\Model;\n\nclass Report extends Model\n{\n    protected $guarded = [];\n}\n")
	file("storage/logs/"+a.Name+".log", fmt.Sprintf("[%s] production.INFO: nightly export finished {\"rows\":%d}\n", m.Boot.Add(50*time.Hour).Format(time.DateTime), 300+m.Seed%700))
	b.at = m.Installed
	b.text("/var/www/html/index.nginx-debian.html", welcome)
}

// server is the configuration of the services in use.
func (b *builder) server(boss User) {
	a, m := b.h.App, b.h.Machine
	b.text("/etc/nginx/sites-available/"+a.Name, fmt.Sprintf(nginxSite, a.Name+"."+m.Domain, a.Dir+"/public", "\n    location ~ \\.php$ {\n        include snippets/fastcgi-php.conf;\n        fastcgi_pass unix:/run/php/php8.2-fpm.sock;\n    }\n"))
	b.link("/etc/nginx/sites-enabled/"+a.Name, "/etc/nginx/sites-available/"+a.Name)
	b.text("/etc/cron.d/"+a.Name, fmt.Sprintf("# %s\n*/5 * * * * www-data cd %s && php artisan schedule:run >/dev/null 2>&1\n15 2 * * * root /root/backup/dump.sh\n", a.Name, a.Dir))
	b.text("/etc/sudoers.d/"+boss.Name, boss.Name+" ALL=(ALL:ALL) ALL\n", 0o440)
	b.text("/etc/mysql/debian.cnf", "[client]\nhost     = localhost\nuser     = root\n[mysql_upgrade]\nhost     = localhost\nuser     = root\n", 0o600)
	b.add(vfs.Entry{Path: "/run/mysqld/mysqld.sock", Mode: vfs.Socket | 0o777, UID: 102, GID: 109, Mtime: m.Boot})
	b.add(vfs.Entry{Path: "/run/php/php8.2-fpm.sock", Mode: vfs.Socket | 0o660, UID: 33, GID: 33, Mtime: m.Boot})
	b.add(vfs.Entry{Path: "/run/nginx.pid", Mode: 0o644, Text: fmt.Sprintf("%d\n", b.h.pid("nginx")), Mtime: m.Boot})
	b.dir("/var/lib/mysql/"+a.Database, 0o700, 102, 109)
	for _, t := range []string{"customers", "invoices", "items", "migrations", "sessions", "users"} {
		b.add(vfs.Entry{Path: "/var/lib/mysql/" + a.Database + "/" + t + ".ibd", Mode: 0o660, UID: 102, GID: 109, Size: 98304 + int64(hashOf(t)%40)*16384, Source: bytesOf{hashOf(t)}, Mtime: m.Boot})
	}
	b.dir("/var/backups/"+a.Name, 0o700)
	b.dir("/opt/"+a.Name+"-tools/bin", 0o755)
	b.text("/opt/"+a.Name+"-tools/README", "Helpers for the "+a.Name+" application. Ask "+boss.Gecos[:strings.IndexByte(boss.Gecos, ',')]+" before changing anything.\n")
	b.text("/opt/"+a.Name+"-tools/bin/export.sh", "#!/bin/sh\ncd "+a.Dir+" && exec php artisan reports:export \"$@\"\n", 0o755)
}

const nginxSite = `server {
    listen 80;
    listen [::]:80;

    server_name %s;
    root %s;
    index index.php index.html index.nginx-debian.html;

    location / {
        try_files $uri $uri/ =404;
    }
%s}
`

const welcome = `<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>If you see this page, the web server is installed and working. Further configuration is required.</p>
</body>
</html>
`
