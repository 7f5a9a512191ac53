using System.Globalization;
using System.Text.Json.Nodes;
using Detection.Bench.Compare;
using Detection.Bench.Measuring;
using Detection.Testing;

if (args.Contains("--help"))
{
    Console.WriteLine(Settings.Help);
    return 0;
}

Settings settings;
try
{
    settings = Settings.Parse(args, Repository.Root);
}
catch (FormatException e)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}

Directory.CreateDirectory(settings.Output);
foreach (var old in Directory.EnumerateFiles(settings.Output).Where(file => Path.GetExtension(file) is ".csv" or ".svg" or ".md"))
{
    File.Delete(old);
}

var folder = Path.Combine(settings.Output, "models");
var models = Models();
var tools = new Tools(settings);
var figures = new Figures();
var photos = PhotoSet.Read(settings.Photos);
var withCluster = settings.Cluster && RedisServer.IsInstalled;
for (var round = 1; round <= settings.Rounds; round++)
{
    Console.WriteLine($"── round {round} of {settings.Rounds}");
    foreach (var model in models)
    {
        var raw = await tools.RawAsync(Path.Combine(folder, model, "model.onnx"));
        foreach (var column in new[] { "pictures_per_s", "cpu_ms", "p50_ms", "p95_ms", "p99_ms" })
        {
            figures.Add($"{model} raw {column}", raw, column);
        }
    }

    await using (var server = await Server.OneProcessAsync(folder))
    {
        await MeasureAsync(server);
    }

    if (withCluster)
    {
        await using var server = await Server.ClusterAsync(folder);
        await MeasureAsync(server);
    }

    await MeasureBareAsync();
}

Report();
return 0;

async Task MeasureAsync(Server server)
{
    var url = server.Frontend.Url;
    foreach (var model in models)
    {
        await tools.WarmUpAsync(url, server.Processes, "--model", model);
        var name = $"{model} {server.Name}";
        var saturated = await tools.LoadAsync($"{name} saturated", url, server.Processes, "--callers", "32", "--model", model);
        var rate = figures.Add($"{name} saturated rate", saturated, "answers_per_s");
        var answers = double.Parse(saturated["answers"], CultureInfo.InvariantCulture);
        figures.Add($"{name} server cpu_ms", 1000 * double.Parse(saturated["server_cpu_s"], CultureInfo.InvariantCulture) / answers);
        figures.Add($"{name} load cpu_ms", 1000 * double.Parse(saturated["load_cpu_s"], CultureInfo.InvariantCulture) / answers);
        figures.Add($"{name} others", saturated, "others");
        var one = await tools.LoadAsync($"{name} 1 caller", url, server.Processes, "--callers", "1", "--model", model);
        var half = await tools.LoadAsync(
            $"{name} half load", url, server.Processes,
            "--callers", "128", "--rate", (rate / 2).ToString("0.##", CultureInfo.InvariantCulture), "--arrivals", "poisson", "--model", model);
        foreach (var column in new[] { "p50_ms", "p95_ms", "p99_ms" })
        {
            figures.Add($"{name} one {column}", one, column);
            figures.Add($"{name} half {column}", half, column);
        }
    }

    await tools.WarmUpAsync(url, server.Processes, "--pictures", "keys:64");
    await tools.WarmUpAsync(url, server.Processes, "--pictures", "repeated:64");
    var get = await tools.LoadAsync($"cached {server.Name} GET", url, server.Processes, "--pictures", "keys:64");
    var post = await tools.LoadAsync($"cached {server.Name} POST", url, server.Processes, "--pictures", "repeated:64");
    figures.Add($"cached {server.Name} GET", get, "answers_per_s");
    figures.Add($"cached {server.Name} POST", post, "answers_per_s");
}

// An answer as long as those of the server.
async Task MeasureBareAsync()
{
    byte[] answer;
    await using (var server = await Server.OneProcessAsync(folder))
    {
        using var content = new ByteArrayContent(photos.Photos[0]) { Headers = { { "Content-Type", "image/jpeg" } } };
        using var response = await server.Frontend.Http.PostAsync(new Uri("/v1/detections", UriKind.Relative), content);
        answer = await response.EnsureSuccessStatusCode().Content.ReadAsByteArrayAsync();
    }

    await using var redis = await RedisServer.StartAsync();
    await using (var connection = await redis.ConnectAsync())
    {
        await connection.GetDatabase().StringSetAsync("bare", answer);
    }

    var url = new Uri($"http://127.0.0.1:{LoopbackPorts.Next()}");
    await using var bare = ChildProcess.Start(
        "bare", "dotnet", [Tools.Program("Bare"), "--urls", url.ToString().TrimEnd('/'), "--redis", redis.ConnectionString]);
    using var http = new HttpClient();
    await Eventually.Async(
        async limit => (await http.GetAsync(new Uri(url, "/v1/detections/x"), limit)).IsSuccessStatusCode, TimeSpan.FromSeconds(30), "the bare endpoint answers");
    int[] processes = redis.IsReal ? [bare.Id, redis.ProcessId] : [bare.Id];
    await tools.WarmUpAsync(url, processes, "--pictures", "keys:64");
    await tools.WarmUpAsync(url, processes, "--pictures", "repeated:64");
    figures.Add("cached bare GET", await tools.LoadAsync("cached bare GET", url, processes, "--pictures", "keys:64"), "answers_per_s");
    figures.Add("cached bare POST", await tools.LoadAsync("cached bare POST", url, processes, "--pictures", "repeated:64"), "answers_per_s");
}

void Report()
{
    List<string> servers = withCluster ? ["one process", "cluster"] : ["one process"];
    foreach (var model in models)
    {
        var raw = figures[$"{model} raw pictures_per_s"];
        var p50 = figures[$"{model} raw p50_ms"];
        var rawCpu = figures[$"{model} raw cpu_ms"];
        figures.Line($"{model}: raw limit", $"{raw:0.0}/s, {rawCpu:0.00} ms of CPU, p50 {p50:0.00} p95 {figures[$"{model} raw p95_ms"]:0.00} p99 {figures[$"{model} raw p99_ms"]:0.00} ms");
        foreach (var server in servers)
        {
            var name = $"{model} {server}";
            var rate = figures[$"{name} saturated rate"];
            var load = figures[$"{name} load cpu_ms"];
            // The cores also run the raw program and the load generator, so the server cannot use that time.
            var within = rate / (raw * (1 - (rate * load / 1000 / Environment.ProcessorCount)));
            figures.Line(
                $"{model}, {server}: saturated, 32 callers",
                $"{rate:0.0}/s = {rate / raw:0.000} of raw ({within:0.000} of what the load generator leaves)",
                model == "nanodet-g" ? "≥ 0.90 of raw" : "≥ 0.85 of raw");
            if (figures[$"{name} others"] > 0)
            {
                figures.Line($"{model}, {server}: not 200", $"{figures[$"{name} others"]:0}", "0");
            }

            Latency($"{model}, {server}: 1 caller", $"{name} one", p50, "p50 ≤ raw + 3 ms");
            Latency($"{model}, {server}: half of that load, Poisson", $"{name} half", p50, "");
            figures.Line(
                $"{model}, {server}: CPU per picture",
                $"{figures[$"{name} server cpu_ms"]:0.00} ms, of that {figures[$"{name} server cpu_ms"] - rawCpu:0.00} ms around decoding and inference; load generator {load:0.000} ms");
        }
    }

    foreach (var how in new[] { "GET", "POST" })
    {
        var bare = figures[$"cached bare {how}"];
        figures.Line($"cached, {how}: bare endpoint with one Redis GET", $"{bare:0}/s");
        foreach (var server in servers)
        {
            figures.Line($"cached, {how}: {server}", $"{figures[$"cached {server} {how}"]:0}/s = {figures[$"cached {server} {how}"] / bare:0.00} of it", how == "GET" ? "≥ 0.5" : "");
        }
    }

    figures.Save(Path.Combine(settings.Output, "figures.csv"));
    var text = $"""
        {Environment.ProcessorCount} cores, {photos.Photos.Count} photos of {photos.MeanBytes / 1024:0} KB on average, {settings.Rounds} rounds of {settings.Seconds:0.#} s, load average at the end {ProcessorTime.LoadAverage()}

        {figures.Table()}
        """;
    File.WriteAllText(Path.Combine(settings.Output, "ratios.md"), text);
    Console.WriteLine(text);

    void Latency(string line, string name, double raw, string goal) => figures.Line(
        line,
        $"p50 {figures[$"{name} p50_ms"]:0.00} (raw {figures[$"{name} p50_ms"] - raw:+0.00;-0.00})  p95 {figures[$"{name} p95_ms"]:0.00}  p99 {figures[$"{name} p99_ms"]:0.00} ms",
        goal);
}

// A folder with copies of the models to measure, so that the repository's folder does not change.
List<string> Models()
{
    var own = Path.Combine(Repository.Root, "models", "nanodet-g");
    var names = new List<string> { "nanodet-g" };
    Copy(Path.Combine(own, "model.onnx"), "nanodet-g", "model.onnx");
    Copy(Path.Combine(own, "model.json"), "nanodet-g", "model.json");
    if (settings.Yolox && SharedFiles.Find("models/yolox_nano.onnx") is { } yolox)
    {
        names.Add("yolox_nano");
        Copy(yolox, "yolox_nano", "model.onnx");
        // The same 80 classes; everything else is in the file.
        var labels = JsonNode.Parse(File.ReadAllText(Path.Combine(own, "model.json")))!["labels"]!.DeepClone();
        File.WriteAllText(Path.Combine(folder, "yolox_nano", "model.json"), new JsonObject { ["labels"] = labels }.ToJsonString());
    }

    return names;

    void Copy(string from, string model, string file)
    {
        Directory.CreateDirectory(Path.Combine(folder, model));
        File.WriteAllBytes(Path.Combine(folder, model, file), File.ReadAllBytes(from));
    }
}
