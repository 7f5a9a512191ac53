using Detection.Frontend;
using Detection.Hosting;
using Detection.Hosting.Settings;

var description = new ProgramDescription(
    "Detection.Frontend", 'F', "The front end of the detection cluster: HTTP API and web page. Without a Redis setting it is a whole cluster in one process.");
return await ProgramRun.RunAsync(description, args, () => FrontendApplication.Create(args));
