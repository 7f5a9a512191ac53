using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;

namespace Detection.Fetching.Tests.Pulling;

/// <summary>A web server on loopback with files, which ASP.NET Core serves with ranges and entity tags, and with faults.</summary>
internal sealed class ModelHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, Func<HttpContext, Task>> _routes = new();

    private ModelHost(WebApplication app) => _app = app;

    /// <summary>The requests in their order: path with query, and headers.</summary>
    public ConcurrentQueue<(string Path, IHeaderDictionary Headers)> Requests { get; } = new();

    public string Url => _app.Urls.Single();

    /// <summary>The same server under another name of its host.</summary>
    public string OtherUrl => Url.Replace("127.0.0.1", "localhost", StringComparison.Ordinal);

    /// <summary>The graph of the default model, which is a real one.</summary>
    public static byte[] Graph { get; } = File.ReadAllBytes(Path.Combine(Repository.Root, "models", "nanodet-g", "model.onnx"));

    public static string Sha256(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    public static async Task<ModelHost> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var host = new ModelHost(app);
        app.Run(host.AnswerAsync);
        await app.StartAsync();
        return host;
    }

    /// <summary>Answers requests for a path.</summary>
    public string On(string path, Func<HttpContext, Task> answer)
    {
        _routes[path] = answer;
        return Url + path;
    }

    /// <summary>Serves a file with an entity tag.</summary>
    public string Serve(string path, byte[] bytes, string? tag = null) => On(path, FileOf(bytes, tag));

    public static Func<HttpContext, Task> FileOf(byte[] bytes, string? tag = null) => http =>
        Results.Bytes(bytes, "application/octet-stream", entityTag: tag is null ? null : new EntityTagHeaderValue($"\"{tag}\""), enableRangeProcessing: true).ExecuteAsync(http);

    /// <summary>Announces the whole and sends only some bytes. The server closes the connection then.</summary>
    public static async Task CutAsync(HttpContext http, byte[] bytes, int sent, string? tag)
    {
        http.Response.ContentLength = bytes.Length;
        http.Response.Headers.ETag = tag is null ? default : $"\"{tag}\"";
        await http.Response.Body.WriteAsync(bytes.AsMemory(0, sent));
        await http.Response.Body.FlushAsync();
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private Task AnswerAsync(HttpContext http)
    {
        Requests.Enqueue((http.Request.Path + http.Request.QueryString, new HeaderDictionary(http.Request.Headers.ToDictionary())));
        if (_routes.TryGetValue(http.Request.Path + http.Request.QueryString, out var answer) || _routes.TryGetValue(http.Request.Path, out answer))
        {
            return answer(http);
        }

        http.Response.StatusCode = 404;
        return Task.CompletedTask;
    }
}
