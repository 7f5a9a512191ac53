using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Detection.AspNetCore;
using Detection.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Detection.Cluster.Tests;

/// <summary>A web application that embeds the client: the answers of its endpoint, and its health.</summary>
public sealed class AspNetCoreTests(ClusterFixture fixture) : IClassFixture<ClusterFixture>
{
    [Fact]
    public async Task Endpoint_answers_failures_with_problems_and_good_pictures_between_them()
    {
        await using var app = await StartAsync(fixture.Cluster.Redis.ConnectionString);
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        foreach (var (file, status, code) in new[]
        {
            ("edge/text.jpg", HttpStatusCode.BadRequest, "not-a-picture"),
            ("edge/unsupported.tiff", HttpStatusCode.UnsupportedMediaType, "unsupported-picture"),
            ("edge/truncated.jpg", HttpStatusCode.UnprocessableEntity, "undecodable"),
            ("edge/huge.png", HttpStatusCode.RequestEntityTooLarge, "picture-too-large"),
        })
        {
            using var refused = await http.PostAsync(new Uri("/people", UriKind.Relative), new ByteArrayContent(await File.ReadAllBytesAsync(TestPictures.Path(file))));
            var problem = await refused.Content.ReadFromJsonAsync<JsonElement>();

            Assert.Equal(status, refused.StatusCode);
            Assert.Equal("application/problem+json", refused.Content.Headers.ContentType?.MediaType);
            Assert.Equal(code, problem.GetProperty("code").GetString());
            Assert.Equal((int)status, problem.GetProperty("status").GetInt32());
            Assert.DoesNotContain("   at ", problem.ToString(), StringComparison.Ordinal);

            using var good = await http.PostAsync(new Uri("/people", UriKind.Relative), new ByteArrayContent(await File.ReadAllBytesAsync(TestPictures.Path("tourist.webp"))));
            Assert.Equal(1, await good.Content.ReadFromJsonAsync<int>());
        }

        using var other = await http.GetAsync(new Uri("/defect", UriKind.Relative));
        Assert.Equal(HttpStatusCode.InternalServerError, other.StatusCode);
        Assert.Equal("Healthy", await http.GetStringAsync(new Uri("/health/ready", UriKind.Relative)));
    }

    [Fact]
    public async Task Cluster_that_is_away_fails_the_health_check_and_gives_a_problem_with_Retry_After()
    {
        await using var app = await StartAsync($"127.0.0.1:{LoopbackPorts.Next()}");
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };

        using var health = await http.GetAsync(new Uri("/health/ready", UriKind.Relative));
        using var refused = await http.PostAsync(new Uri("/people", UriKind.Relative), new ByteArrayContent(TestPictures.Unique(1)));

        Assert.Equal(HttpStatusCode.ServiceUnavailable, health.StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.NotNull(refused.Headers.RetryAfter?.Delta);
    }

    private static async Task<WebApplication> StartAsync(string redis)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration["ConnectionStrings:redis"] = redis;
        builder.Services.AddDetectionClient(builder.Configuration);
        builder.Services.AddDetectionProblems();
        builder.Services.AddHealthChecks().AddDetectionClient();
        var app = builder.Build();
        app.UseExceptionHandler();
        app.MapHealthChecks("/health/ready");
        app.MapPost("/people", static async (HttpRequest request, IDetectionClient detection) =>
        {
            var answer = await detection.DetectAsync(request.Body);
            return answer.Objects.Count(found => answer.LabelOf(found) == "person");
        });
        app.MapGet("/defect", static string () => throw new InvalidOperationException("A defect of the application."));
        await app.StartAsync();
        return app;
    }
}
