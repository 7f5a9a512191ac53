using Detection.Contracts.Settings;
using Detection.Hosting.Telemetry;
using Microsoft.Extensions.Options;
using Orleans.Dashboard;

namespace Detection.Hosting.Management;

/// <summary>Metrics, status, administration and dashboard, on a separate listener if one is configured.</summary>
public static class ManagementExtensions
{
    private const string DashboardPath = "/dashboard";

    private static readonly PathString[] Managed = [TelemetryExtensions.MetricsPath, DashboardPath, "/status", "/v1/status", "/v1/admin"];

    /// <summary>Paths that both listeners serve: probes, and the files that the status page shares with the public page.</summary>
    private static readonly PathString[] Shared = ["/health", "/css", "/js", "/favicon.svg", "/site.json"];

    /// <summary>The path with which clients of DeepStack check the API.</summary>
    private static readonly PathString ClientProbe = "/v1/status/ping";

    /// <summary>Whether a path is for operators of the service.</summary>
    public static bool IsManagement(PathString path) =>
        Array.Exists(Managed, managed => path.StartsWithSegments(managed)) && !path.StartsWithSegments(ClientProbe);

    /// <summary>Port of the separate listener; <see langword="null"/> when there is none.</summary>
    public static int? Port(IConfiguration configuration) => Options(configuration).Url is { } url ? ManagementAddress.Port(url) : null;

    /// <summary>Adds the listener that the section <c>Detection:Management</c> names. Call it after the other addresses are known.</summary>
    public static WebApplicationBuilder AddManagement(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddValidatedOptions<ManagementOptions>(ManagementOptions.Section);
        builder.Services.AddSingleton<IValidateOptions<ManagementOptions>, ManagementOptionsValidator>();
        if (Options(builder.Configuration) is { Url: { } url } && ManagementAddress.Port(url) is not null)
        {
            ManagementAddress.Add(builder, url);
        }

        return builder;
    }

    /// <summary>Answers 404 to paths that do not belong to the listener of the request.</summary>
    public static void UseManagement(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        if (Port(app.Configuration) is not { } port)
        {
            return;
        }

        app.Use((http, next) =>
        {
            if (IsAnswered(http, http.Request.Path, port))
            {
                return next(http);
            }

            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        });
    }

    /// <summary>Whether the listener of a request serves a path.</summary>
    /// <param name="http">The request.</param>
    /// <param name="path">The path, which may differ from that of the request.</param>
    /// <param name="port">Port of the management listener; <see langword="null"/> when there is no separate one.</param>
    public static bool IsAnswered(HttpContext http, PathString path, int? port)
    {
        ArgumentNullException.ThrowIfNull(http);

        // Not by the Host header, which the caller can set to any value.
        return port is null || IsManagement(path) == (http.Connection.LocalPort == port) || Array.Exists(Shared, shared => path.StartsWithSegments(shared));
    }

    /// <summary><c>/metrics</c>, and <c>/dashboard</c> where it is enabled and this process hosts a silo.</summary>
    public static void MapManagement(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.MapDetectionMetrics();
        if (Options(app.Configuration).OrleansDashboard && app.Services.GetService<ILocalSiloDetails>() is not null)
        {
            app.MapOrleansDashboard(DashboardPath);
        }
    }

    /// <summary>The options, before there are services.</summary>
    internal static ManagementOptions Options(IConfiguration configuration) =>
        configuration.ReadValidated(ManagementOptions.Section, new ManagementOptionsValidator());
}
