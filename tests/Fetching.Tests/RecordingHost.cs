using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace Detection.Fetching.Tests;

/// <summary>A web server on loopback addresses, all with one free port, that records which address received which request.</summary>
internal sealed class RecordingHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private RecordingHost(WebApplication app, int port) => (_app, Port) = (app, port);

    public int Port { get; }

    /// <summary>Requests as <c>local-address path</c>.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>Header names of the last request.</summary>
    public IHeaderDictionary? LastHeaders { get; private set; }

    public static Task<RecordingHost> StartAsync(RequestDelegate answer, params string[] addresses) => StartAsync(answer, null, addresses);

    public static async Task<RecordingHost> StartAsync(RequestDelegate answer, X509Certificate2? certificate, params string[] addresses)
    {
        var port = LoopbackPorts.Next();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            foreach (var address in addresses.DefaultIfEmpty("127.0.0.1"))
            {
                kestrel.Listen(IPAddress.Parse(address), port, listen =>
                {
                    if (certificate is not null)
                    {
                        // Offline: a server would otherwise load what is missing in its chain, which is the client's turn here.
                        var context = SslStreamCertificateContext.Create(certificate, additionalCertificates: null, offline: true);
                        listen.UseHttps(new TlsHandshakeCallbackOptions
                        {
                            OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions { ServerCertificateContext = context }),
                        });
                    }
                });
            }
        });
        if (certificate is not null)
        {
            builder.WebHost.UseKestrelHttpsConfiguration();
        }

        var app = builder.Build();
        var host = new RecordingHost(app, port);
        app.Run(context =>
        {
            host.LastHeaders = new HeaderDictionary(context.Request.Headers.ToDictionary());
            host.Requests.Enqueue($"{context.Connection.LocalIpAddress} {context.Request.Path}");
            return answer(context);
        });
        await app.StartAsync();
        return host;
    }

    /// <summary>Answers with <paramref name="bytes"/> and their length.</summary>
    public static RequestDelegate Picture(byte[] bytes) => context =>
    {
        context.Response.ContentLength = bytes.Length;
        return context.Response.Body.WriteAsync(bytes).AsTask();
    };

    /// <summary>Answers <paramref name="elsewhere"/> with a redirect on <c>/redirect</c>, and with <paramref name="bytes"/> otherwise.</summary>
    public static RequestDelegate Redirect(Func<string> elsewhere, byte[] bytes, int status = 302) => context =>
    {
        if (context.Request.Path != "/redirect")
        {
            return Picture(bytes)(context);
        }

        context.Response.StatusCode = status;
        context.Response.Headers.Location = elsewhere();
        return Task.CompletedTask;
    };

    /// <summary>Bytes that no other test uses.</summary>
    public static byte[] NewPicture(int length = 5_000) => RandomNumberGenerator.GetBytes(length);

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.Zero);
        await _app.StopAsync(patience.Token);
        await _app.DisposeAsync();
    }
}
