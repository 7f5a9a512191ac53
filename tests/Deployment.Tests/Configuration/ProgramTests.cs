using System.Text.RegularExpressions;

namespace Detection.Deployment.Tests.Configuration;

/// <summary>The programs at a prompt: their options, and their messages when they cannot start.</summary>
public sealed partial class ProgramTests
{
    private const string NoRedis = "127.0.0.1:1";

    [Theory]
    [InlineData("Silo", "S"), InlineData("Frontend", "F")]
    public async Task Help_lists_every_setting_of_the_program_with_its_default(string program, string reader)
    {
        var (exitCode, output) = await RunAsync(program, "--help");

        Assert.Equal(0, exitCode);
        foreach (var setting in DocumentedSettings.Read("docs/configuration.md").Where(setting => setting.Readers.Contains(reader, StringComparison.Ordinal)))
        {
            Assert.Contains($"  {setting.Key} (default: {setting.Default.Replace("`", "", StringComparison.Ordinal)})\n", output, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("](", output, StringComparison.Ordinal);
        Assert.All(output.Split('\n'), static line => Assert.True(line.Length <= 160, line));
    }

    [Theory]
    [InlineData("Silo"), InlineData("Frontend")]
    public async Task Version_is_one_line(string program)
    {
        var (exitCode, output) = await RunAsync(program, "--version");

        Assert.Equal(0, exitCode);
        Assert.Matches(@$"\ADetection\.{program} [0-9]+\.[0-9]+\.[0-9]+\S*\n\z", output);
    }

    [Theory]
    [InlineData("--Detection:Queue:Capcity=5", "The setting 'Detection:Queue:Capcity' does not exist. Use 'Detection:Queue:Capacity'.")]
    [InlineData("--Detection:Queue:Lease=4", "The setting 'Detection:Queue:Lease' is '4'. Use a duration from 1 s to 10 min, such as 4s, 500ms, 2m, 1h, 7d or 00:00:04.")]
    [InlineData("--Detection:Devices=cuda:0", "The setting 'Detection:Devices' names 'cuda:0', and this program was built for the CPU. Use 'cpu' or 'auto', or a program built with -p:Accelerator=cuda.")]
    [InlineData("--Detection:Models:Directory=/nowhere/at all", "The setting 'Detection:Models:Directory' is '/nowhere/at all', and there is no folder /nowhere/at all. Create it, or use the folder that holds the models.")]
    public async Task Silo_that_cannot_start_writes_one_sentence_with_the_reason(string argument, string sentence)
    {
        SkipWithCuda(argument);
        var (exitCode, output) = await RunAsync("Silo", argument, $"--ConnectionStrings:redis={NoRedis}");

        Assert.Equal(1, exitCode);
        Assert.Equal($"Cannot start: {sentence}", OnlySentence(output));
    }

    [Theory]
    [InlineData("--Detection:Client:DefaultModel=nanodet-q", "The setting 'Detection:Client:DefaultModel' is 'nanodet-q', but ", " has no model of this name. Did you mean 'nanodet-g'?")]
    [InlineData("--Detection:LegacyQueue=on", "The setting 'Detection:LegacyQueue' is 'on'. Use true or false.", "")]
    [InlineData("--Detection:Access:Keys:0:Nmae=a", "The setting 'Detection:Access:Keys:0:Nmae' does not exist. Use 'Detection:Access:Keys:0:Name'.", "")]
    [InlineData("--Detection:Batches:MaxPictures=x", "The setting 'Detection:Batches:MaxPictures' is 'x'. Use a whole number from 1 to 100000.", "")]
    public async Task One_process_that_cannot_start_writes_one_sentence_with_the_reason(string argument, string beginning, string end)
    {
        var (exitCode, output) = await RunAsync("Frontend", argument, "--urls=http://127.0.0.1:0");

        Assert.Equal(1, exitCode);
        Assert.StartsWith($"Cannot start: {beginning}", OnlySentence(output), StringComparison.Ordinal);
        Assert.EndsWith(end, OnlySentence(output), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Settings_with_units_numbered_keys_and_those_of_other_programs_start_and_log_lines_have_times()
    {
        await using var redis = await RedisServer.StartAsync();
        var settings = new Dictionary<string, string?>
        {
            [DetectionSettings.Redis] = redis.ConnectionString,
            ["Detection__Queue__Lease"] = "4s",
            ["Detection__Client__Deadline"] = "20 s",
            ["Detection__Access__Keys__0__Name"] = "camera-1",
            ["Detection__Access__Keys__0__Sha256"] = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            ["Logging__LogLevel__Detection.Something"] = "Debug",
        };
        await using var silo = DetectionProcess.StartSilo(settings);
        await using var frontend = DetectionProcess.StartFrontend(settings);
        await silo.ReadyAsync();
        await frontend.ReadyAsync();

        Assert.Equal("healthy", (await Json(silo)).GetProperty("status").GetString());
        Assert.Equal("healthy", (await Json(frontend)).GetProperty("status").GetString());
        Assert.Matches(Time(), silo.Process.Log);
        Assert.Matches(Time(), frontend.Process.Log);

        // "test" is the text of the key. Without a key the answer is a problem, and its trace id is in a log message.
        using var models = new HttpRequestMessage(HttpMethod.Get, new Uri("/v1/models", UriKind.Relative));
        models.Headers.Add("X-API-Key", "test");
        using var allowed = await frontend.Http.SendAsync(models);
        Assert.Equal(System.Net.HttpStatusCode.OK, allowed.StatusCode);
        foreach (var path in new[] { "/v1/models", "/v1/no-such-path" })
        {
            using var refused = await frontend.Http.GetAsync(new Uri(path, UriKind.Relative));
            var problem = System.Text.Json.JsonDocument.Parse(await refused.Content.ReadAsStringAsync()).RootElement;
            var trace = problem.GetProperty("traceId").GetString()!;
            await Eventually.Async(
                () => frontend.Process.Log.Split('\n').Any(line =>
                    line.Contains(trace, StringComparison.Ordinal) && line.Contains($"GET {path} failed with {(int)refused.StatusCode}", StringComparison.Ordinal)),
                Eventually.Soon,
                "the failure is in the log with its trace id");
        }
    }

    private static async Task<System.Text.Json.JsonElement> Json(DetectionProcess process)
    {
        using var answer = await process.Http.GetAsync(new Uri(DetectionSettings.ReadyPath, UriKind.Relative));
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.MediaType);
        return System.Text.Json.JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
    }

    /// <summary>The output of a program without its log messages; a log message has two lines.</summary>
    private static string OnlySentence(string output)
    {
        string[] lines = [.. output.TrimEnd('\n').Split('\n')];
        Assert.DoesNotContain(lines, static line => line.StartsWith("   at ", StringComparison.Ordinal) || line.Contains("Exception", StringComparison.Ordinal) || line.Contains(" fail: ", StringComparison.Ordinal));
        return Assert.Single(lines, static line => line.StartsWith("Cannot start: ", StringComparison.Ordinal));
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(string program, params string[] arguments)
    {
        await using var process = DetectionProcess.Run($"src/{program}", arguments);
        await process.ExitAsync(TimeSpan.FromSeconds(60));
        return (process.ExitCode, process.Log + "\n");
    }

    private static void SkipWithCuda(string argument) => Assert.SkipWhen(
        argument.Contains("cuda", StringComparison.Ordinal) && Detection.Inference.Devices.Discovery.DeviceDiscovery.IsBuiltForCuda, "This build has CUDA.");

    [GeneratedRegex(@"(?m)^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z info: ")]
    private static partial Regex Time();
}
