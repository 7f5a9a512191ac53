using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Hosting;

namespace Detection.Deployment.Tests.Files;

/// <summary><c>compose.yaml</c> uses only keys of Compose, and settings of the programs. No container engine runs it here.</summary>
public sealed partial class ComposeTests
{
    private readonly ComposeFile _file = ComposeFile.Read();

    [Fact]
    public void Compose_file_has_redis_two_silos_a_front_end_and_an_optional_gpu_silo()
    {
        Assert.Equal(["frontend", "redis", "silo", "silo-gpu"], _file.Services.Keys.Order());
        Assert.Equal(2, _file.Services["silo"].Deploy!.Replicas);
        Assert.Equal(["gpu"], _file.Services["silo-gpu"].Profiles);
        Assert.Equal(["gpu"], Assert.Single(_file.Services["silo-gpu"].Deploy!.Resources!.Reservations!.Devices).Capabilities);
    }

    [Fact]
    public void Every_image_is_one_of_the_Dockerfile()
    {
        foreach (var (name, service) in Own())
        {
            Assert.Equal((".", Dockerfile.Path), (service.Build!.Context, service.Build.Dockerfile));
            Assert.Equal(name.Split('-')[0], service.Build.Target);
            Assert.NotEmpty(Dockerfile.Of(service.Build.Target));
            Assert.All(service.Build.Args.Keys, static argument =>
                Assert.Contains(Dockerfile.Instructions, instruction => instruction.Name == "ARG" && instruction.Arguments.Split('=')[0] == argument));
        }
    }

    [Fact]
    public void Every_variable_is_a_setting()
    {
        foreach (var (_, service) in Own())
        {
            Assert.NotEmpty(service.Environment);
            Assert.All(service.Environment, static pair => ContainerEnvironment.Check(ComposeFile.Path, pair.Key, pair.Value));
            Assert.Equal($"redis:6379,password={_file.Services["redis"].Environment["REDISCLI_AUTH"]}", service.Environment["ConnectionStrings__redis"]);
        }
    }

    [Fact]
    public void Every_port_is_one_that_the_program_listens_on()
    {
        foreach (var (_, service) in Own())
        {
            var listening = service.Environment.Where(static pair => pair.Key.EndsWith("Url", StringComparison.Ordinal)).Select(static pair => ContainerEnvironment.Port(pair.Value))
                .Concat(Dockerfile.Last(service.Build!.Target, "EXPOSE").Split(' ').Select(static port => int.Parse(port, CultureInfo.InvariantCulture)));
            Assert.All(service.Ports, port => Assert.Contains(int.Parse(port.Split(':')[^1], CultureInfo.InvariantCulture), listening));
            // No port is open to the network by default.
            Assert.All(service.Ports, static port => Assert.StartsWith("127.0.0.1:", port, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Every_volume_has_its_place()
    {
        foreach (var (name, service) in _file.Services)
        {
            foreach (var volume in service.Volumes)
            {
                var source = volume.Split(':')[0];
                Assert.True(source.StartsWith("./", StringComparison.Ordinal) ? Directory.Exists(Path.Combine(Repository.Root, source)) : _file.Volumes.ContainsKey(source), $"{name}: {volume}");
            }
        }
    }

    [Fact]
    public void Each_service_waits_for_a_healthy_redis_and_has_time_to_stop()
    {
        foreach (var (_, service) in Own())
        {
            Assert.Equal("service_healthy", service.DependsOn["redis"].Condition);
            var grace = TimeSpan.FromSeconds(int.Parse(Seconds().Match(service.StopGracePeriod!).Groups[1].ValueSpan, CultureInfo.InvariantCulture));
            Assert.True(grace > new HostOptions().ShutdownTimeout, $"{grace} is shorter than a host takes to stop.");
        }

        Assert.NotNull(_file.Services["redis"].Healthcheck);
    }

    [Fact]
    public void Services_have_only_the_rights_that_they_need()
    {
        Assert.All(_file.Services.Values, static service =>
        {
            Assert.True(service.ReadOnly);
            Assert.Equal(["/tmp"], service.Tmpfs);
            Assert.Equal(["ALL"], service.CapDrop);
            Assert.Equal(["no-new-privileges:true"], service.SecurityOpt);
        });
        Assert.All(Own(), static service => Assert.NotEqual('0', Dockerfile.Last(service.Value.Build!.Target, "USER")[0]));

        var redis = _file.Services["redis"];
        Assert.Matches("^[1-9][0-9]*:[1-9][0-9]*$", redis.User!);
        Assert.Equal("3g", redis.Deploy!.Resources!.Limits!.Memory);
        Assert.True(redis.Deploy.Resources.Limits.Pids > 0);
        Assert.Empty(redis.Ports);
    }

    [Fact]
    public void Compose_file_requires_the_password_of_redis_as_a_variable()
    {
        Assert.StartsWith("${REDIS_PASSWORD:?", _file.Services["redis"].Environment["REDISCLI_AUTH"], StringComparison.Ordinal);
        Assert.Contains(".env", File.ReadAllLines(Path.Combine(Repository.Root, ".gitignore")));
    }

    private IEnumerable<KeyValuePair<string, ComposeService>> Own() => _file.Services.Where(static service => service.Key != "redis");

    [GeneratedRegex("^([0-9]+)s$")]
    private static partial Regex Seconds();
}
