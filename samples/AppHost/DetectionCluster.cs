using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.Extensions.Configuration;

namespace AppHost;

/// <summary>A front end, two silos and a Redis, which may have one of three forms.</summary>
public static class DetectionCluster
{
    private const int Silos = 2;

    /// <summary>The application model.</summary>
    /// <param name="args">
    /// <c>--Redis=embedded</c> (default): the server of the front end, which keeps no data. <c>--Redis=container</c>: a Redis in a container, which
    /// needs Docker or Podman. A connection string <c>redis</c>: a running Redis.
    /// </param>
    public static DistributedApplication Build(string[] args)
    {
        var builder = DistributedApplication.CreateBuilder(args);
        AddDetection(builder);
        return builder.Build();
    }

    /// <summary>Adds the cluster to an application model.</summary>
    public static void AddDetection(IDistributedApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (!string.IsNullOrEmpty(builder.Configuration.GetConnectionString("redis")))
        {
            AddPrograms(builder, builder.AddConnectionString("redis"));
            return;
        }

        switch (builder.Configuration["Redis"] ?? "embedded")
        {
            case "embedded":
                AddProgramsWithEmbeddedServer(builder);
                break;
            case "container":
                // Redis must not evict waiting items, and must keep them when it restarts.
                AddPrograms(builder, builder.AddRedis("redis").WithDataVolume().WithArgs("--maxmemory-policy", "noeviction", "--appendonly", "yes"));
                break;
            case var other:
                throw new InvalidOperationException($"Redis is '{other}'. Use 'embedded' or 'container', or set the connection string 'redis'.");
        }
    }

    private static void AddPrograms(IDistributedApplicationBuilder builder, IResourceBuilder<IResourceWithConnectionString> redis)
    {
        for (var i = 1; i <= Silos; i++)
        {
            AddSilo(builder, i).WithReference(redis).WaitFor(redis);
        }

        AddFrontend(builder).WithReference(redis).WaitFor(redis);
    }

    private static void AddProgramsWithEmbeddedServer(IDistributedApplicationBuilder builder)
    {
        var password = Convert.ToHexString(RandomNumberGenerator.GetBytes(24));
        var (redis, pictures) = (FreePort(), FreePort());
        var frontend = AddFrontend(builder)
            .WithEnvironment("Detection__Embedded__RedisPassword", password)
            .WithEnvironment("Detection__Embedded__RedisPort", redis)
            .WithEnvironment("Detection__Embedded__PicturePort", pictures)
            // The silos have the devices; the front end keeps requests and fetches URLs.
            .WithEnvironment("Detection__Devices", "none");

        for (var i = 1; i <= Silos; i++)
        {
            AddSilo(builder, i)
                .WithEnvironment("ConnectionStrings__redis", $"127.0.0.1:{redis},password={password}")
                .WithEnvironment("ConnectionStrings__pictures", $"127.0.0.1:{pictures},password={password}")
                .WaitForStart(frontend);
        }
    }

    private static IResourceBuilder<ProjectResource> AddSilo(IDistributedApplicationBuilder builder, int number) =>
        builder.AddProject<Projects.Detection_Silo>(string.Create(CultureInfo.InvariantCulture, $"silo-{number}"))
            .WithHttpEndpoint()
            .WithHttpHealthCheck("/health/ready")
            // Ports for other silos and for clients: any free ones, since two silos share a machine.
            .WithEnvironment("Detection__Silo__Port", "0")
            .WithEnvironment("Detection__Silo__GatewayPort", "0");

    private static IResourceBuilder<ProjectResource> AddFrontend(IDistributedApplicationBuilder builder) =>
        builder.AddProject<Projects.Detection_Frontend>("frontend")
            .WithHttpEndpoint(port: builder.Configuration.GetValue("Port", 8080))
            .WithExternalHttpEndpoints()
            .WithHttpHealthCheck("/health/ready")
            .WithUrlForEndpoint("http", static _ => new ResourceUrlAnnotation { Url = "/status", DisplayText = "Status" });

    private static string FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
    }
}
